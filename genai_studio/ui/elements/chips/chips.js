// What was understood of the prompt and what the form sets, each as a chip that can be changed or taken away; and a way
// to begin where nobody has an idea.
const { say, make, icon } = window.studio;
const [row, problem] = [".row", ".problem"].map((name) => element.querySelector(name));
let drawn = "";

// `wish` is {field, title, value, label, words, source, choices: [[label, value]] | null, low, high, step}.
function control(wish) {
  const change = (event) => trigger("wish", { field: wish.field, value: wish.choices ? event.target.value : Number(event.target.value) });
  const told = { "aria-label": wish.title, on: { change } };
  if (!wish.choices) return make("input", { type: "number", min: wish.low, max: wish.high, step: wish.step, value: wish.value, ...told });
  return make("select", told, ...wish.choices.map(([label, value]) => make("option", { value, text: label, selected: value === wish.value })));
}
function chip(wish) {
  const from = wish.words ? say("From “{words}”", { words: wish.words }) : wish.source === "panel" ? say("Set in the form") : "";
  const kind = { panel: " set", scene: " guessed", meaning: " guessed" }[wish.source] || "";
  return make("span", { class: `wish${kind}`, title: from, data: { field: wish.field } },
    make("span", { class: "name", text: wish.title, "aria-hidden": "true" }),
    control(wish),
    wish.removable ? make("button", { class: "less", type: "button", "aria-label": say("Remove {title}", { title: wish.title }), title: wish.source === "panel" ? say("Leave it open") : say("Take it out of the prompt"), on: { click: () => trigger("remove", { field: wish.field, words: wish.words, source: wish.source }) } }, icon("close")) : null);
}

function draw() {
  const { wishes = [], problem: sentence = "", surprising = false } = props.value || {};
  const key = JSON.stringify(props.value);
  problem.textContent = sentence;
  if (key === drawn) return;
  drawn = key;
  const held = element.contains(document.activeElement) ? document.activeElement.closest("[data-field]")?.dataset.field : "";
  row.setAttribute("aria-label", say("What was understood"));
  row.replaceChildren(...wishes.map(chip), ...(surprising ? [make("button", { class: "surprise", type: "button", on: { click: () => trigger("surprise", {}) } }, icon("dice"), say("Surprise me"))] : []));
  if (held) row.querySelector(`[data-field="${held}"] select, [data-field="${held}"] input`)?.focus();
}
draw();
watch("value", draw);
