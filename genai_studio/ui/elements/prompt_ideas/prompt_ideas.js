// Examples as chips, and the person's earlier prompts: a list, and Alt+Up / Alt+Down in the prompt box.
const { say, make, icon } = window.studio;
const line = element.querySelector(".line");
const list = element.querySelector(".history");
let place = -1;

const pick = (text) => {
  close();
  trigger("pick", { text });
};
function close() {
  list.hidden = true;
  line.querySelector("[aria-expanded]")?.setAttribute("aria-expanded", "false");
}

function draw() {
  const { examples = [], history = [] } = props.value || {};
  place = -1;
  line.replaceChildren();
  if (history.length) {
    const opener = make("button", {
      class: "chip", type: "button", "aria-expanded": "false",
      title: say("Your earlier prompts (Alt+Up in the box)"),
      on: { click: () => { list.hidden = !list.hidden; opener.setAttribute("aria-expanded", String(!list.hidden)); } },
    }, icon("history"), make("span", { text: say("History") }));
    line.append(opener);
  }
  for (const text of examples) {
    line.append(make("button", { class: "chip", type: "button", text, title: text, on: { click: () => pick(text) } }));
  }
  list.replaceChildren(...history.map((text) =>
    make("button", { type: "button", text, title: text, on: { click: () => pick(text) } })));
}

document.addEventListener("click", (event) => { if (!element.contains(event.target)) close(); });
element.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
const room = element.closest(".room");
room?.addEventListener("keydown", (event) => {
  const history = (props.value || {}).history || [];
  if (!event.altKey || !event.target.closest(".prompt-box") || !history.length) return;
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  event.preventDefault();
  place = Math.min(Math.max(place + (event.key === "ArrowUp" ? 1 : -1), 0), history.length - 1);
  trigger("pick", { text: history[place] });
});

draw();
watch("value", draw);
