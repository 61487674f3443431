"""A browser's tab without the browser: it says to the server what Streamlit's page says, and holds what it is shown."""

import base64
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, FileURLsRequest, UploadedFileInfo
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

PATIENCE = 120
"""Seconds that a tab waits for the end of a run."""

DONE = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}

XSRF = "_streamlit_xsrf"


@dataclass(frozen=True)
class Shown:
    """An element at its place on the page."""

    kind: str
    content: Any
    run: str
    fragment: str


class Tab:
    """One session of the app, as in a tab of a browser."""

    def __init__(self, base: str) -> None:
        self._base, self._http = base, requests.Session()
        self._http.get(f"{base}/_stcore/health", timeout=PATIENCE).raise_for_status()
        self._pages: dict[str, str] = {}  # the hash of a page's script by its path
        self._page, self._query = "", ""
        self._widgets: dict[str, WidgetState] = {}
        self._shown: dict[tuple[int, ...], Shown] = {}
        self._run, self._fragments = "", set[str]()
        self.repeating: dict[str, float] = {}
        """The fragments that the page asks its browser to repeat, each with the seconds between."""
        self.session = ""
        self._line = ExitStack()
        self._socket = self._connected()

    def _connected(self) -> ClientConnection:
        token = self._http.cookies[XSRF]
        line = connect(
            self._base.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit", token, *([self.session] if self.session else [])],  # type: ignore[list-item]
            additional_headers={"Cookie": f"{XSRF}={token}"},
            origin=self._base,  # type: ignore[arg-type]
            max_size=None,
            ping_interval=None,  # it is the server that asks whether a browser is still there
        )
        return self._line.enter_context(line)

    def open(self, page: str, query: str = "") -> None:
        """Go to a page by its path, as a link does; ``""`` is the first one."""
        self._page, self._query, self._widgets = page, query, {}
        self._rerun("")

    def put(self, widget: Shown, **value: Any) -> None:
        """Give a widget a value, and wait until the page, or its fragment, has been drawn anew."""
        self._widgets[widget.content.id] = WidgetState(id=widget.content.id, **value)
        self._rerun(widget.fragment)

    def press(self, button: Shown) -> None:
        """Press a button, and wait until the page, or its fragment, has been drawn anew."""
        try:
            self.put(button, trigger_value=True)
        finally:
            self._widgets.pop(button.content.id)

    def keyed(self, key: str) -> Shown | None:
        """The widget with this key; None where the page has none."""
        for shown in self._shown.values():
            if getattr(shown.content, "id", "").endswith(f"-{key}"):
                return shown
        return None

    def parameter(self, name: str) -> str:
        """A parameter of the address; empty where it is missing."""
        return parse_qs(self._query.lstrip("?")).get(name, [""])[0]

    def repeat(self) -> None:
        """Draw the repeating fragments anew, as a browser does each time their interval is over."""
        for fragment in list(self.repeating):
            if fragment in self.repeating:  # the one before may have had the whole page drawn anew
                self._rerun(fragment)

    def reload(self) -> None:
        """Load the page again as a new session, by the address that it had."""
        self._line.close()
        self.session, self._widgets, self._shown = "", {}, {}
        self._socket = self._connected()
        self._rerun("")

    def upload(self, widget: Shown, name: str, content: bytes) -> None:
        """Put a file into a file uploader, in the place of what was there."""
        before = self._widgets.get(widget.content.id)
        urls = self._file_urls(name)
        headers = {"X-Xsrftoken": self._http.cookies[XSRF]}
        answer = self._http.put(self._base + urls.upload_url, files={"file": (name, content)}, headers=headers)
        answer.raise_for_status()
        state = WidgetState(id=widget.content.id)
        info = UploadedFileInfo(name=name, size=len(content), file_id=urls.file_id, file_urls=urls)
        state.file_uploader_state_value.uploaded_file_info.append(info)
        self._widgets[widget.content.id] = state
        for old in before.file_uploader_state_value.uploaded_file_info if before else ():
            self._http.delete(self._base + old.file_urls.delete_url, headers=headers).raise_for_status()
        self._rerun(widget.fragment)

    def _file_urls(self, name: str) -> FileURLs:
        request = FileURLsRequest(request_id=uuid.uuid4().hex, session_id=self.session, file_names=[name])
        self._say(BackMsg(file_urls_request=request))
        end = time.monotonic() + PATIENCE
        while True:
            heard = self._hear(end)
            if heard.WhichOneof("type") == "file_urls_response":
                return heard.file_urls_response.file_urls[0]

    def fetch(self, url: str) -> bytes:
        """What lies at an address of the server, such as a file to take home."""
        answer = self._http.get(self._base + url, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.content

    def images(self) -> list[Any]:
        """All images of the page, with their addresses and captions; drawn scales (SVG) are none."""
        images = [each for shown in self.all("imgs") for each in shown.content.imgs]
        return [each for each in images if not each.url.startswith("data:image/svg+xml")]

    def pictures(self) -> list[bytes]:
        """The contents of all images of the page, which came along with it."""
        start = "data:image/jpeg;base64,"
        return [base64.b64decode(each.url.removeprefix(start), validate=True) for each in self.images()]

    def all(self, kind: str) -> list[Shown]:
        """The elements of a kind, such as ``metric``, from the top of the page to its end."""
        return [self._shown[path] for path in sorted(self._shown) if self._shown[path].kind == kind]

    def reconnect(self) -> None:
        """Lose the connection, and come back to the same session, as a laptop does that was closed for a moment."""
        self._line.close()
        before, self._socket = self.session, self._connected()
        self._rerun("")
        assert self.session == before, "the server has forgotten the session"

    def close(self) -> None:
        """Close the tab."""
        self._line.close()
        self._http.close()

    def _rerun(self, fragment: str) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.fragment_id = self._query, fragment
        state.page_script_hash = self._pages.get(self._page, "")
        state.page_name = "" if state.page_script_hash else self._page
        state.widget_states.widgets.extend(self._widgets.values())
        self._say(message)
        self._watch()

    def _watch(self) -> None:
        """Take in what a run draws until it has ended; then what it has not drawn again is gone."""
        end = time.monotonic() + PATIENCE
        while True:
            heard = self._hear(end)
            if heard.WhichOneof("type") == "script_finished" and heard.script_finished in DONE:
                break
        for path, shown in list(self._shown.items()):
            stale = not self._fragments or shown.fragment in self._fragments
            if stale and shown.run != self._run:
                del self._shown[path]

    def _say(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def _hear(self, end: float) -> ForwardMsg:
        data = self._socket.recv(timeout=max(0.0, end - time.monotonic()))
        assert isinstance(data, bytes)
        message = ForwardMsg.FromString(data)
        match message.WhichOneof("type"):
            case "new_session":
                self.session = message.new_session.initialize.session_id
                self._run, self._fragments = message.metadata.run.script_run_id, set(message.metadata.run.fragment_ids)
                if not self._fragments:
                    self.repeating = {}
            case "auto_rerun":
                self.repeating[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            case "page_info_changed":
                self._query = message.page_info_changed.query_string
            case "navigation":
                self._pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
            case "delta":
                self._draw(tuple(message.metadata.delta_path), message.delta)
            case "session_event" if message.session_event.WhichOneof("type") == "script_compilation_exception":
                raise AssertionError(message.session_event.script_compilation_exception.message)
        return message

    def _draw(self, path: tuple[int, ...], delta: Delta) -> None:
        self._shown.pop(path, None)
        if delta.WhichOneof("type") == "new_element":
            kind = delta.new_element.WhichOneof("type") or ""
            self._shown[path] = Shown(kind, getattr(delta.new_element, kind), self._run, delta.fragment_id)
