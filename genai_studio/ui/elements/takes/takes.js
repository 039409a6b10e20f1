// The takes of one piece side by side, to hear and to choose from, and how far the writing is.
const { say, make, duration } = window.studio;
const SVG = "http://www.w3.org/2000/svg";
const [empty, compare, question, choose, verdicts, track, bar, status] = [
  ".empty", ".compare", ".question", ".choose", ".verdicts", ".track", ".bar", ".status",
].map((name) => element.querySelector(name));
let drawn = "";

// A melody at a glance; pitches of all the takes on one scale, so that they can be compared.
function glimpse(notes, low, high) {
  const drawing = document.createElementNS(SVG, "svg");
  const span = Math.max(12, high - low);
  drawing.setAttribute("viewBox", `0 0 100 ${span + 2}`);
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("class", "glimpse");
  for (const [start, length, pitch] of notes) {
    const note = document.createElementNS(SVG, "rect");
    const place = { x: 100 * start, y: high - pitch + 0.5 + (span - (high - low)) / 2, width: Math.max(0.6, 100 * length - 0.5), height: 1.1, rx: 0.4 };
    for (const [name, amount] of Object.entries(place)) note.setAttribute(name, String(amount));
    drawing.append(note);
  }
  return drawing;
}

function tab(label, take, view, low, high) {
  const shown = Boolean(take.record) && view.record === take.record.id;
  return make("button", {
    type: "button", role: "tab", "aria-selected": String(shown), disabled: !take.record, tabindex: shown ? "0" : "-1",
    on: { click: () => trigger("act", { action: view.proposals ? "compare" : "take", record: take.record.id, job: view.comparing }) },
  }, glimpse(take.glimpse || [], low, high), make("span", { class: "label" }, take.record ? null : make("i", { class: "pending", "aria-hidden": "true" }), make("span", { text: label })));
}

function drawTakes(view) {
  const takes = view.takes || [];
  const all = [...(view.before ? [view.before] : []), ...takes];
  const pitches = all.flatMap((take) => (take.glimpse || []).map((note) => note[2]));
  const [low, high] = pitches.length ? [Math.min(...pitches), Math.max(...pitches)] : [60, 72];
  compare.hidden = all.length < 2;
  question.hidden = !view.proposals;
  const open = view.state === "finished";
  question.textContent = !view.proposals ? "" : open ? say("Listen to each, then keep the one you like.") : say("New bars are being written. They appear here to compare.");
  choose.setAttribute("aria-label", view.proposals ? say("Proposals") : say("Takes"));
  choose.replaceChildren(
    ...(view.before ? [tab(say("Before"), view.before, view, low, high)] : []),
    ...takes.map((take) => tab(view.proposals ? say("Proposal {n}", { n: take.index + 1 }) : say("Take {n}", { n: take.index + 1 }), take, view, low, high)),
  );
  if (!choose.querySelector('[tabindex="0"]')) choose.querySelector("button:not(:disabled)")?.setAttribute("tabindex", "0");
  const mine = takes.find((take) => take.record && take.record.id === view.record);
  const any = mine || takes.find((take) => take.record);
  const act = (action, take) => () => trigger("act", { action, record: take.record.id });
  verdicts.replaceChildren(...(view.proposals && open && any ? [
    make("button", { class: "keep", type: "button", disabled: !mine, text: mine ? say("Keep proposal {n}", { n: mine.index + 1 }) : say("Keep the chosen one"), on: { click: mine ? act("accept", mine) : () => {} } }),
    make("button", { class: "leave", type: "button", text: say("Keep it as it was"), on: { click: act("reject", any) } }),
  ] : []));
}

function draw() {
  const view = props.value || {};
  empty.hidden = Boolean(view.job);
  if (!view.job) empty.replaceChildren(make("b", { text: say("Nothing here yet") }), say("Say what kind of piece you would like and press Generate. You see the notes as they are written."));
  const key = JSON.stringify([view.takes, view.before, view.shown, view.record, view.proposals, view.state]);
  if (key !== drawn) {
    drawn = key;
    const held = element.contains(document.activeElement) ? document.activeElement.textContent : "";
    drawTakes(view);
    // What had the focus was drawn anew.
    if (held) ([...element.querySelectorAll("button")].find((button) => button.textContent === held) || element.querySelector(".takes")).focus();
  }
  const running = view.state === "running" || view.state === "loading";
  track.hidden = !running;
  track.classList.toggle("unknown", running && typeof view.fraction !== "number");
  bar.style.width = `${100 * (view.fraction || 0)}%`;
  const left = running && view.left > 1 ? " · " + say("{time} left", { time: duration(view.left) }) : "";
  const line = (view.status || "") + left;
  // Every step read aloud would be noise; what counts is how it ends.
  status.setAttribute("aria-live", running ? "off" : "polite");
  if (status.textContent !== line) status.textContent = line;
  status.classList.toggle("bad", view.state === "failed" || view.state === "interrupted");
}

choose.addEventListener("keydown", (event) => {
  const tabs = [...choose.querySelectorAll("button:not(:disabled)")];
  const here = tabs.indexOf(document.activeElement);
  const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined || here < 0) return;
  event.preventDefault();
  const next = tabs[(to + tabs.length) % tabs.length];
  next.focus();
  next.click();
});
draw();
watch("value", draw);
