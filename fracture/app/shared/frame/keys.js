// The arrow keys of a presentation, and the page keys, which a presenter's remote sends.

const PAGE_KEYS = ["PageDown", "PageUp"];
const FORWARD = ["ArrowRight", "PageDown"];
const BACK = ["ArrowLeft", "PageUp"];
const OWN_ARROWS = "input:not([type=checkbox]), textarea, select, [contenteditable], [role=slider], [role=tablist], [role=radiogroup], canvas";
const EDGE_PX = 12; // a heading so near to the upper edge is the one that is shown

/** Press a button of the bar, or of a dialog; false where there is none, or none that can be pressed. */
function press(key, within = document) {
  const button = within.querySelector(`.st-key-${key} button:enabled`);
  button?.click();
  return Boolean(button);
}

/** Scroll to the section after or before the one that is shown; false where there is none. */
function scrollOn(forward) {
  const main = document.querySelector("[data-testid=stMain]");
  const { top, height } = main.getBoundingClientRect();
  const tops = [...main.querySelectorAll("h2")].map((each) => each.getBoundingClientRect().top - top);
  if (!forward) {
    if (main.scrollTop < EDGE_PX) return false;
    main.scrollBy(0, Math.max(-main.scrollTop, ...tops.filter((each) => each < -EDGE_PX)));
    return true;
  }
  const atEnd = main.scrollTop + main.clientHeight > main.scrollHeight - EDGE_PX;
  const next = tops.find((each) => each > height / 2); // what is higher up is seen already
  if (atEnd || next === undefined) return false;
  main.scrollBy(0, next);
  return true;
}

export default function () {
  const listen = (event) => {
    // After the end of a presentation Streamlit may leave this listener behind.
    if (!document.querySelector(".st-key-presenting")) return;
    const forward = FORWARD.includes(event.key);
    if (!forward && !BACK.includes(event.key)) return;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const direction = forward ? "next" : "previous";
    const dialog = document.querySelector("[role=dialog]");
    if (dialog) {
      // The arrow keys are the shortcuts of its own buttons; a remote presses the same ones.
      if (PAGE_KEYS.includes(event.key) && press(`${direction}-view`, dialog)) event.preventDefault();
      return;
    }
    // A widget that has the focus keeps its arrow keys.
    if (event.target.closest?.(OWN_ARROWS)) return;
    event.preventDefault();
    if (!press(`${direction}_step`) && !scrollOn(forward)) press(`${direction}_page`);
  };
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}
