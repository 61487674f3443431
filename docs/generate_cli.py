"""The page on the command line, made from the program's own argument parser.

    python -m docs.generate_cli

writes ``docs/command-line.md`` again, after an argument or a help text has changed.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from fracture.cli.main import _parser

PAGE = Path(__file__).parent / "command-line.md"

INTRODUCTION = """\
<!-- Generated: change the help texts in fracture/cli/, then run python -m docs.generate_cli -->

# Command line

`python -m fracture COMMAND`, from the project's root. After `pip install -e .` there is also a program `fracture`:
`fracture COMMAND` works from any folder, with the data and models of the project. `--help` after a command prints the
same texts as this page.

- **Exit status**: 0 on success, 1 with one sentence on stderr for an error that you can put right, 2 for wrong usage.
- **`--json`** prints one JSON document on stdout and nothing else.
- **`classify --csv FILE`** writes a line per image and study.
"""


def page() -> str:
    """The whole page, as Markdown."""
    parts = [INTRODUCTION, *_overview()]
    for name, command in _commands().items():
        parts += ["", *_section(name, command)]
    return "\n".join(parts) + "\n"


def _commands() -> dict[str, argparse.ArgumentParser]:
    for action in _parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise LookupError("The parser has no commands.")


def _overview() -> Iterator[str]:
    yield "| Command | What it does |"
    yield "|---|---|"
    for name, command in _commands().items():
        yield f"| [`{name}`](#{name}) | {_escape(command.description or '')} |"


def _section(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    actions = [each for each in command._actions if not isinstance(each, argparse._HelpAction)]
    positional = [each for each in actions if not each.option_strings]
    required = [each for each in actions if each.option_strings and each.required]
    words = ["python -m fracture", name, *(_call(each) for each in [*positional, *required]), "[OPTIONS]"]
    yield f"## {name}"
    yield ""
    yield _sentence(command.description or "")
    yield ""
    yield "```bash"
    yield " ".join(words)
    yield "```"
    yield ""
    yield "| Argument | Meaning |"
    yield "|---|---|"
    for action in [*positional, *(each for each in actions if each.option_strings)]:
        yield f"| {_argument(action)} | {_meaning(action)} |"
    for group in command._mutually_exclusive_groups:
        flags = " and ".join(f"`{_name(each)}`" for each in group._group_actions)
        need = "One of them is required." if group.required else "At most one of them may be given."
        yield ""
        yield f"{flags} exclude each other. {need}"


def _name(action: argparse.Action) -> str:
    """An option without its value, or a positional argument."""
    return action.option_strings[0] if action.option_strings else _value(action)


def _call(action: argparse.Action) -> str:
    """How an argument is written in a call."""
    value = _value(action)
    if action.option_strings:
        return f"{action.option_strings[0]} {value}".strip()
    return f"[{value}]" if action.nargs == "?" else value


def _argument(action: argparse.Action) -> str:
    value = _value(action)
    if not action.option_strings:
        return f"`{value}`"
    return f"`{f'{action.option_strings[0]} {value}'.strip()}`"


def _value(action: argparse.Action) -> str:
    """The placeholder of an argument's value, empty for a flag."""
    if action.nargs == 0:
        return ""
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    name = action.metavar or action.dest.upper()
    return f"{name}..." if action.nargs == "+" else name


def _meaning(action: argparse.Action) -> str:
    # As argparse does it: %(default)s and its like stand for the action's own attributes.
    said = (action.help or "") % {**vars(action), "prog": "fracture"}
    allowed = ", ".join(f"`{each}`" for each in action.choices or ())
    parts = [_escape(said), f"one of {allowed}" if allowed else ""]
    return "; ".join(part for part in parts if part)


def _escape(text: str) -> str:
    """A text that Markdown shows as it is, within a table."""
    for sign in "|*<":
        text = text.replace(sign, f"\\{sign}")
    return text


def _sentence(text: str) -> str:
    return f"{_escape(text[:1].upper() + text[1:])}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
