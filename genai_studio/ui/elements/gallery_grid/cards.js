// One card of the grid. Everything a person or a file wrote is set as text. Shared names of this element start here.
const { say, url, make, icon } = window.studio;
const NOUNS = { image: say("Picture"), audio: say("Music"), text: say("Text") };
const day = new Intl.DateTimeFormat(window.studio.language, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(window.studio.language, { day: "numeric", month: "long", year: "numeric" });
const moment = new Intl.DateTimeFormat(window.studio.language, { dateStyle: "medium", timeStyle: "short" });

// Sorts as text, newest day last; the local calendar decides.
function dayKey(seconds) {
  const date = new Date(seconds * 1000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

function dayTitle(seconds) {
  const key = dayKey(seconds);
  const now = Date.now() / 1000;
  if (key === dayKey(now)) return say("Today");
  if (key === dayKey(now - 86400)) return say("Yesterday");
  const date = new Date(seconds * 1000);
  return (date.getFullYear() === new Date().getFullYear() ? day : dayOfYear).format(date);
}

function clock(seconds) {
  const whole = Math.floor(seconds || 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// What a screen reader says, and what stands below the work.
function cardTitle(card) {
  if (card.title.trim()) return card.title.trim();
  return card.enlarged ? say("Enlarged {n}×", { n: card.enlarged }) : say("No prompt");
}

function iconButton(name, label, run, options = {}) {
  return make("button", { type: "button", title: label, "aria-label": label, on: { click: run }, ...options }, icon(name));
}

// {node, open, update, close}. `act(name, card)` is called for what a person does with it.
function createCard(card, act) {
  let player = null;
  const open = make("button", {
    class: "open", type: "button", tabindex: "-1",
    "aria-label": say("Open: {kind}, {title}", { kind: NOUNS[card.kind], title: cardTitle(card).slice(0, 200) }),
    on: { click: () => act("open", card) },
  });
  const face = make("div", { class: `face ${card.kind}` }, open);
  if (card.kind === "image") {
    const picture = make("img", { src: url(card.thumbnail || card.url), alt: "", loading: "lazy", decoding: "async", draggable: false });
    picture.addEventListener("error", () => face.classList.add("broken"));
    open.append(picture);
  } else if (card.kind === "audio") {
    player = createPlayer({ ...card, title: cardTitle(card) }, { bars: 40, seek: false });
    player.node.querySelector("button").tabIndex = -1;
    face.append(player.node);
  } else {
    open.append(make("p", { class: "excerpt", text: card.excerpt || card.title }));
  }
  const star = iconButton("star", say("Star"), () => act("star", card), { class: "star", tabindex: "-1" });
  const corner = card.trashed
    ? [iconButton("undo", say("Restore"), () => act("restore", card), { class: "corner", tabindex: "-1" })]
    : [star];
  const words = make("div", { class: "words" },
    make("p", { class: "title", text: cardTitle(card), title: card.title.slice(0, 300) }),
    make("p", { class: "about" }, icon(card.modality), card.model_title));
  const node = make("li", { class: "card", data: { id: card.id } }, face, ...corner, words);
  function update() {
    star.setAttribute("aria-pressed", String(Boolean(card.starred)));
    node.classList.toggle("starred", Boolean(card.starred));
  }
  update();
  return { node, open, card, update, play: () => player && player.toggle(), close: () => player && player.close() };
}
