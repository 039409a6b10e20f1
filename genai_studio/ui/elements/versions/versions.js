// The recording that is shown: what can be done with it, and the line of versions that it stands in.
const { say, make, icon } = window.studio;
const [root, tools, verdict, versions] = [".shown", ".tools", ".verdict", ".versions"].map((name) => element.querySelector(name));

function tool(name, label, action, options = {}) {
  return make("button", { class: "tool", type: "button", title: label, on: { click: action }, ...options }, icon(name), make("span", { text: label }));
}

function drawTools(view) {
  const { record } = view;
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

function drawVersions(view) {
  const steps = view.versions || [];
  versions.hidden = steps.length < 2;
  versions.setAttribute("aria-label", say("Versions"));
  versions.replaceChildren(make("b", { text: say("Versions") }), make("ol", {}, ...steps.map(({ id, label }, place) => make("li", {}, make("button", {
    type: "button", "aria-current": view.record && id === view.record.id ? "true" : null, on: { click: () => trigger("act", { action: "take", record: id }) },
  }, make("span", { class: "number", text: String(place + 1) }), label)))));
  const current = versions.querySelector("[aria-current]");
  const list = versions.querySelector("ol");
  if (current && list) list.scrollLeft = current.offsetLeft - list.clientWidth / 2;
}

function draw() {
  const view = props.value || {};
  const held = element.contains(document.activeElement) ? document.activeElement.textContent : "";
  root.hidden = !view.record;
  drawTools(view);
  drawVersions(view);
  // What had the focus was drawn anew.
  if (held) [...element.querySelectorAll("button")].find((button) => button.textContent === held)?.focus();
}
draw();
watch("value", draw);
