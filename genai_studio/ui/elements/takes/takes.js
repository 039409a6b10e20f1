// The takes of one piece: which is shown, what can be done with it, and how far the writing is.
const { say, make, icon, duration } = window.studio;
const [empty, choose, tools, verdict, track, bar, status] = [".empty", ".choose", ".tools", ".verdict", ".track", ".bar", ".status"].map((name) => element.querySelector(name));
let drawn = "";

function tool(name, label, action, options = {}) {
  return make("button", { class: "tool", type: "button", title: label, on: { click: action }, ...options }, icon(name), make("span", { text: label }));
}

function drawTools(view) {
  const takes = view.takes || [];
  const shown = takes.find((take) => take.index === view.shown) || {};
  const record = shown.record;
  const key = JSON.stringify([takes.map((take) => take.record && take.record.id), view.shown, record && [record.starred, record.comparison]]);
  if (key === drawn) return;
  drawn = key;
  choose.hidden = takes.length < 2;
  choose.replaceChildren(...takes.map((take) => make("button", {
    type: "button", role: "tab", "aria-selected": String(take.index === view.shown), disabled: !take.record,
    text: say("Take {n}", { n: take.index + 1 }), on: { click: () => trigger("act", { action: "take", record: take.record.id }) },
  })));
  const act = (action) => trigger("act", { action, record: record.id });
  tools.setAttribute("aria-label", say("What to do with this piece"));
  tools.replaceChildren(...(record ? [
    tool("star", record.starred ? say("Starred") : say("Star"), () => act("star"), { "aria-pressed": String(Boolean(record.starred)) }),
    tool("again", say("Make again"), () => act("again")),
    tool("settings", say("Use settings"), () => act("settings")),
  ] : []));
  verdict.textContent = (record && record.comparison) || "";
  verdict.className = "verdict " + ((record && record.verdict) || "");
  verdict.hidden = !verdict.textContent;
}

function draw() {
  const view = props.value || {};
  empty.hidden = Boolean(view.job);
  if (!view.job) empty.replaceChildren(make("b", { text: say("Nothing here yet") }), say("Say what kind of piece you would like and press Generate. You see the notes as they are written."));
  drawTools(view);
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

draw();
watch("value", draw);
