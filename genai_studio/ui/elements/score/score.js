// The piece: as engraved music whose bars can be chosen and changed, or as notes over time while it is written.
const { say, make, icon } = window.studio;
const [root, title, facts, views, stage, desk, tools, hint] = [".score", ".title", ".facts", ".views", ".stage", ".desk", ".tools", ".hint"].map((name) => element.querySelector(name));
const VIEW = "genai-studio-sheet";
const KEPT = 8;
const PROPOSALS = 3;
const roll = createRoll();
const message = make("p", { class: "message", role: "status", hidden: true });
const sheet = createSheet({ seek: (seconds) => tellPlayer({ seconds }), toggle: () => tellPlayer({ toggle: true }), chosen: onChosen });
stage.append(sheet.node, roll.node, message);
let view = readView();
let range = null;
let shown = "";
let asking = 0;
const engraved = new Map();

function readView() {
  try { return ["lead", "all", "roll"].find((name) => name === localStorage.getItem(VIEW)) || "lead"; } catch { return "lead"; }
}
function keepView(next) {
  view = next;
  try { localStorage.setItem(VIEW, next); } catch { /* a private window keeps nothing */ }
  draw();
}
const value = () => props.value || {};
const whole = () => Boolean(value().record);
function tellPlayer(detail) {
  document.dispatchEvent(new CustomEvent("studio:seek", { detail: { src: value().src, ...detail } }));
}

// The switch between the sheet and the roll.
const VIEWS = [["lead", say("Score")], ["all", say("All parts")], ["roll", say("Piano roll")]];
const switches = new Map(VIEWS.map(([name, label]) => [name, make("button", { type: "button", text: label, on: { click: () => keepView(name) } })]));
views.setAttribute("aria-label", say("How the piece is shown"));
views.append(...switches.values());

// The tools: which bars, and what to do with them.
const first = make("input", { type: "number", min: "1", inputmode: "numeric", "aria-label": say("First bar") });
const last = make("input", { type: "number", min: "1", inputmode: "numeric", "aria-label": say("Last bar") });
const drop = make("button", { class: "drop", type: "button", "aria-label": say("Choose no bars"), title: say("Choose no bars"), on: { click: () => choose(null) } }, icon("close"));
const repeats = make("input", { type: "checkbox", checked: true });
const also = make("label", { class: "also", hidden: true }, repeats, make("span", { text: say("Also where they come back") }));
const which = make("div", { class: "which" }, make("span", { text: say("Bars") }), first, make("span", { text: "–", "aria-hidden": "true" }), last, drop);

function action(name, iconName, explained, act) {
  const label = make("span");
  const button = make("button", {
    class: "action", type: "button", data: { action: name },
    on: {
      click: act,
      pointerenter: () => explain(explained()), focus: () => explain(explained()), pointerleave: () => explain(""), blur: () => explain(""),
    },
  }, icon(iconName), label);
  return { button, label };
}
const edit = (name, more = {}) => trigger("edit", { action: name, record: value().record, first: range ? range[0] : 0, last: range ? range[1] : 0, repeats: repeats.checked, count: PROPOSALS, ...more });
const repaint = action("repaint", "brush", () => say("Writes the chosen bars anew, three times, to compare. All other notes stay."), () => edit("repaint"));
const answer = action("answer", "reply", () => say("Writes what follows the chosen bars, as an answer to them, three times."), () => edit("answer"));
const extend = action("continue", "extend", () => say("Writes eight bars more after the end, three times, to compare."), () => edit("continue"));
const arrange = action("arrange", "settings", () => say("Keeps the tune and takes key, tempo, players and lead from the form."), () => edit("arrange", { count: 1 }));
tools.setAttribute("aria-label", say("Change this piece"));
tools.append(which, repaint.button, answer.button, extend.button, arrange.button);
hint.before(also);

function explain(text) {
  hint.textContent = text || (range
    ? say("Press Repaint for new bars, or choose others.")
    : view === "roll" ? say("Type the numbers of bars to change them.") : say("Click a bar to hear it from there. Drag over bars, or hold Shift, to choose more."));
}
function typed() {
  const [least, most] = [value().first_bar || 1, value().last_bar || value().bars || 1];
  const held = (field, other) => Math.max(least, Math.min(most, Math.round(Number(field.value || other.value)) || least));
  if (!first.value && !last.value) return choose(null);
  const [one, two] = [held(first, last), held(last, first)];
  choose([Math.min(one, two), Math.max(one, two)]);
  sheet.reveal(range[0]);
}
first.addEventListener("change", typed);
last.addEventListener("change", typed);
repeats.addEventListener("change", () => drawRange());

function choose(next) {
  sheet.choose(next);
  onChosen(next);
}
function onChosen(next) {
  range = next;
  drawRange();
}
// The same bars of the sections with the same letter.
function echoes() {
  const sections = value().sections || [];
  const found = [];
  if (!range) return found;
  for (let bar = range[0] - 1; bar < range[1]; bar += 1) {
    const home = sections.find(([, start, bars]) => bar >= start && bar < start + bars);
    for (const [letter, start, bars] of home ? sections : []) {
      const twin = start + bar - home[1];
      if (letter === home[0] && start !== home[1] && twin < start + bars && (twin < range[0] - 1 || twin > range[1] - 1)) found.push(twin + 1);
    }
  }
  return found;
}
function drawRange() {
  const twins = echoes();
  also.hidden = !twins.length;
  first.value = range ? range[0] : "";
  last.value = range ? range[1] : "";
  for (const field of [first, last]) field.max = String(value().bars || 1);
  drop.hidden = !range;
  which.classList.toggle("chosen", Boolean(range));
  repaint.label.textContent = !range ? say("Repaint") : range[0] === range[1] ? say("Repaint bar {n}", { n: range[0] }) : say("Repaint bars {first}–{last}", { first: range[0], last: range[1] });
  repaint.button.classList.toggle("main", Boolean(range));
  answer.label.textContent = say("Answer this phrase");
  extend.label.textContent = say("Continue 8 bars");
  arrange.label.textContent = say("Arrange again");
  const busy = Boolean(value().busy);
  for (const [{ button }, ready] of [[repaint, Boolean(range)], [answer, Boolean(range)], [extend, true], [arrange, true]]) button.disabled = busy || !ready;
  sheet.mark({ working: value().working, fresh: value().fresh, echoes: repeats.checked ? twins : [] });
  explain("");
}

// The engraving comes when it is looked at, in the width that there is.
async function engrave() {
  if (!stage.clientWidth) return;
  const { record } = value();
  const width = Math.max(280, Math.min(1400, Math.round((stage.clientWidth - 22) / 20) * 20));
  const key = `${record} ${view} ${width}`;
  if (key === shown) return;
  shown = key;
  asking += 1;
  const ticket = asking;
  let answered = engraved.get(key);
  if (!answered) {
    sheet.node.classList.add("waits");
    answered = await server.music_engraving({ id: record, parts: view, width }).catch(() => ({ error: say("The studio did not answer. Try again.") }));
    if (ticket !== asking) return;
    if (!answered.error) engraved.set(key, answered);
    if (engraved.size > KEPT) engraved.delete(engraved.keys().next().value);
  }
  sheet.node.classList.remove("waits");
  message.hidden = !answered.error;
  message.textContent = answered.error || "";
  sheet.node.hidden = Boolean(answered.error);
  const kept = range;
  sheet.show(answered.error ? null : answered, [value().first_bar || 1, value().last_bar || value().bars || 1]);
  sheet.choose(kept && kept[1] <= (value().bars || 0) ? kept : null);
  if ((value().fresh || []).length) sheet.reveal(value().fresh[0]);
  drawRange();
}

let piece = "";
function draw() {
  const now = value();
  const sheetly = whole() && now.engravable && view !== "roll";
  root.hidden = !whole() && !(now.notes || []).length && !now.total_quarters;
  title.textContent = now.title || "";
  facts.textContent = (now.facts || []).join(" · ");
  views.hidden = !whole() || !now.engravable;
  for (const [name, button] of switches) button.setAttribute("aria-pressed", String(name === view));
  desk.hidden = !whole() || !now.engravable || now.editable === false;
  if (now.record !== piece) {
    piece = now.record;
    if (range && range[1] > (now.bars || 0)) range = null;
  }
  message.hidden = true;
  sheet.node.hidden = !sheetly;
  roll.show(sheetly ? {} : now);
  if (sheetly) engrave();
  else {
    shown = "";
    asking += 1;
  }
  drawRange();
}

document.addEventListener("studio:time", ({ detail }) => {
  if (!whole() || detail.src !== value().src || sheet.node.hidden) return;
  if (detail.playing || detail.seconds > 0) sheet.point(detail.seconds);
  else sheet.rest();
});
let resize = 0;
new ResizeObserver(() => {
  clearTimeout(resize);
  resize = setTimeout(() => { if (!root.hidden && stage.clientWidth && !sheet.node.hidden && whole()) engrave(); }, 250);
}).observe(stage);
draw();
watch("value", draw);
