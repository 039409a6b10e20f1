// The gallery: pages of cards by cursor, newest first under day headers; the keyboard; what a click does.
const [days, empty, sentinel, dialog, toast, drop] = [".days", ".empty", ".sentinel", ".large", ".toast", ".drop"].map((name) => element.querySelector(name));
const shown = new Map();
const page = { next: null, done: false, loading: false, turn: 0 };
const POLL_MS = 350;
const LOOK_MS = 2000;
let active = "";
let toastTimer = 0;

// 1. Python. Every function takes one object and answers with one; a sentence under "error" goes to the toast.
async function ask(name, payload = {}) {
  let answer;
  try {
    answer = await server[name](payload);
  } catch {
    answer = { error: say("The studio does not answer. Is it still running?") };
  }
  if (!answer.error) return answer;
  tell(answer.error, { bad: true });
  return null;
}

function tell(text, { bad = false, action = null, stay = false } = {}) {
  clearTimeout(toastTimer);
  const shut = iconButton("close", say("Close"), () => { toast.hidden = true; });
  toast.replaceChildren(make("span", { text }), ...(action ? [make("button", { type: "button", class: "undo", text: action.name, on: { click: () => { toast.hidden = true; action.run(); } } })] : []), shut);
  toast.classList.toggle("bad", bad);
  // What is outside an open dialog cannot be reached, so the toast goes where the person is.
  (dialog.open ? dialog : element.firstElementChild).append(toast);
  toast.hidden = false;
  if (!stay) toastTimer = setTimeout(() => { toast.hidden = true; }, action ? 9000 : 6000);
}

// 2. Cards in their place: by day, then by time, newest first.
function place(card) {
  if (shown.has(card.id)) {
    const known = shown.get(card.id);
    Object.assign(known.card, card);
    known.update();
    return;
  }
  const entry = createCard(card, act);
  const key = dayKey(card.created);
  let section = [...days.children].find((other) => other.dataset.day <= key);
  if (!section || section.dataset.day !== key) {
    const made = make("section", { class: "day", data: { day: key } }, make("h3", { text: dayTitle(card.created) }), make("ul", { role: "list" }));
    days.insertBefore(made, section || null);
    section = made;
  }
  const list = section.lastElementChild;
  const last = list.lastElementChild;
  const older = (node) => shown.get(node.dataset.id).card.created < card.created;
  list.insertBefore(entry.node, last && older(last) ? [...list.children].find(older) : null);
  shown.set(card.id, entry);
  if (!active) setActive(card.id);
}

function remove(id) {
  const entry = shown.get(id);
  if (!entry) return;
  const next = near(id, 1) || near(id, -1);
  const section = entry.node.closest(".day");
  const focused = entry.node.contains(document.activeElement);
  entry.close();
  entry.node.remove();
  shown.delete(id);
  if (!section.querySelector(".card")) section.remove();
  if (active === id) setActive(next ? next.id : "", focused);
  drawEmpty();
}

function reset() {
  shown.forEach((entry) => entry.close());
  shown.clear();
  days.replaceChildren();
  active = "";
}

function drawEmpty() {
  const { words, trashed } = toolbar.filter();
  empty.hidden = shown.size > 0 || page.loading || !page.done;
  if (empty.hidden) return;
  const lines = trashed ? [say("The trash is empty."), say("What you delete waits here for 30 days.")]
    : toolbar.plain() ? [say("Nothing here yet."), say("What you make in Image, Text and Music is kept here, with all that is needed to make it again.")]
      : [words ? say("Nothing found for these words.") : say("Nothing found."), ""];
  empty.replaceChildren(make("b", { text: lines[0] }), make("p", { text: lines[1] }),
    toolbar.plain() ? "" : make("button", { type: "button", class: "chip", text: say("Show everything"), on: { click: toolbar.clear } }));
}

// 3. Pages. A change of the filter starts a new turn, and answers of an older turn are dropped.
async function more() {
  if (page.loading || page.done) return;
  page.loading = true;
  const turn = page.turn;
  const answer = await ask("gallery_page", { ...toolbar.filter(), before: page.next });
  if (turn !== page.turn) return;
  page.loading = false;
  if (!answer) return;
  answer.cards.forEach(place);
  page.next = answer.next;
  page.done = !answer.next;
  drawEmpty();
  // A tall window may still show the end.
  if (!page.done && sentinel.getBoundingClientRect().top < window.innerHeight + 600) more();
}

async function refill() {
  const turn = ++page.turn;
  Object.assign(page, { next: null, done: false, loading: true });
  const answer = await ask("gallery_page", { ...toolbar.filter(), before: null });
  if (turn !== page.turn) return;
  const held = days.contains(document.activeElement) ? active : "";
  reset();
  page.loading = false;
  if (!answer) return;
  answer.cards.forEach(place);
  if (shown.has(held)) setActive(held, true);
  page.next = answer.next;
  page.done = !answer.next;
  drawEmpty();
  more();
}

// What came or went since the newest page was read, without moving what the person looks at. True when it was done.
async function refresh() {
  ask("gallery_models").then((answer) => answer && toolbar.models(answer.models));
  if (page.loading || (!shown.size && !page.done)) return false;
  const turn = page.turn;
  const answer = await ask("gallery_page", { ...toolbar.filter(), before: null });
  if (!answer || turn !== page.turn) return false;
  const fresh = new Set(answer.cards.map((card) => card.id));
  if (shown.size && answer.next && !answer.cards.some((card) => shown.has(card.id))) { refill(); return true; }
  const oldest = answer.next ? answer.cards[answer.cards.length - 1].created : 0;
  for (const [id, entry] of [...shown]) if (!fresh.has(id) && entry.card.created >= oldest) remove(id);
  answer.cards.forEach(place);
  if (!shown.size || !answer.next) Object.assign(page, { next: answer.next, done: !answer.next });
  drawEmpty();
  return true;
}

// 4. What can be done with a card.
async function act(name, card, more_ = {}) {
  if (name === "open") { setActive(card.id); large.show(card); return; }
  if (name === "closed") { (dialog.open ? dialog : element.firstElementChild).append(toast); setActive(card && shown.has(card.id) ? card.id : active, true); return; }
  if (name === "star") { await star(card); return; }
  if (name === "use") { dialog.close(); trigger("use", { id: card.id }); return; }
  if (name === "again" || name === "upscale") { await run(name, card, more_); return; }
  if (!(await ask(`gallery_${name}`, { ids: [card.id] }))) return;
  if (dialog.open) dialog.close();
  remove(card.id);
  if (name === "trash") tell(say("Moved to the trash."), { action: { name: say("Undo"), run: () => undo(card) } });
  else tell(name === "restore" ? say("Restored.") : say("Deleted for good."));
}

async function undo(card) {
  if (!(await ask("gallery_restore", { ids: [card.id] }))) return;
  place(card);
  setActive(card.id, true);
  drawEmpty();
}

async function star(card) {
  const on = !card.starred;
  if (!(await ask("gallery_star", { ids: [card.id], on }))) return;
  const entry = shown.get(card.id);
  if (entry) { entry.card.starred = on; entry.update(); }
  card.starred = on;
  large.redraw();
}

// Runs a job and says how it went; the job goes on when the page is closed.
async function run(name, card, payload) {
  const started = await ask(`gallery_${name}`, { id: card.id, ...payload });
  if (!started) return;
  const about = () => (large.shown() && large.shown().id === card.id ? large.note : (text, kind) => tell(text, { stay: kind === "busy", bad: kind === "bad" }));
  for (;;) {
    const job = await ask("gallery_job", { job: started.job });
    if (!job) return;
    about()(job.line, job.ended ? job.kind : "busy");
    if (job.ended) {
      if (job.made) {
        await refresh();
        if (name === "upscale" && dialog.open && shown.has(job.made)) large.show(shown.get(job.made).card);
      }
      return;
    }
    await new Promise((next) => setTimeout(next, POLL_MS));
  }
}

// 5. The keyboard. One card is in the tab order; arrows move along rows and columns.
function setActive(id, focus = false) {
  const before = shown.get(active);
  if (before) before.node.querySelectorAll("button").forEach((part) => { part.tabIndex = -1; });
  active = id;
  const entry = shown.get(id);
  if (!entry) return;
  entry.node.querySelectorAll("button").forEach((part) => { part.tabIndex = 0; });
  if (focus) entry.open.focus();
}
function near(id, step) {
  const nodes = [...days.querySelectorAll(".card")];
  const next = nodes[nodes.findIndex((node) => node.dataset.id === id) + step];
  return next ? shown.get(next.dataset.id).card : null;
}
function vertical(step) {
  const nodes = [...days.querySelectorAll(".card")];
  const at = nodes.findIndex((node) => node.dataset.id === active);
  const box = nodes[at].getBoundingClientRect();
  let best = null;
  for (let place_ = at + step; nodes[place_]; place_ += step) {
    const other = nodes[place_].getBoundingClientRect();
    if (Math.abs(other.top - box.top) < 4) continue;
    if (best && Math.abs(other.top - best.top) > 4) break;
    const off = Math.abs(other.left - box.left);
    if (!best || off < best.off) best = { node: nodes[place_], off, top: other.top };
  }
  return best && shown.get(best.node.dataset.id).card;
}
days.addEventListener("focusin", (event) => {
  const node = event.target.closest(".card");
  if (node && node.dataset.id !== active) setActive(node.dataset.id);
});
days.addEventListener("keydown", (event) => {
  const entry = shown.get(active);
  if (!entry || event.ctrlKey || event.metaKey || event.altKey) return;
  const nodes = () => [...days.querySelectorAll(".card")].map((node) => shown.get(node.dataset.id).card);
  const moves = {
    ArrowRight: () => near(active, 1), ArrowLeft: () => near(active, -1), ArrowDown: () => vertical(1), ArrowUp: () => vertical(-1),
    Home: () => nodes()[0], End: () => nodes().at(-1),
  };
  if (moves[event.key]) {
    const next = moves[event.key]();
    if (next) setActive(next.id, true);
  } else if (event.key === "s" && !entry.card.trashed) star(entry.card);
  else if (event.key === "p") entry.play();
  else if ((event.key === "Delete" || event.key === "Backspace") && !entry.card.trashed) act("trash", entry.card);
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable=true]");
  if (event.key !== "/" || typing || dialog.open || !element.offsetParent) return;
  event.preventDefault();
  toolbar.search.focus();
});

// 6. A file of ours gives its settings back.
async function dropped(file) {
  if (file.size > props.value.largest) { tell(say("This file is too large to be one of the studio's."), { bad: true }); return; }
  tell(say("Reading the file"), { stay: true });
  try {
    const { path } = await upload(file);
    toast.hidden = true;
    trigger("dropped", { path });
  } catch {
    tell(say("This file could not be read."), { bad: true });
  }
}
drop.append(make("p", {}, icon("file"), say("Drop it to get its settings back")));
element.addEventListener("dragenter", (event) => { if (event.dataTransfer.types.includes("Files")) drop.hidden = false; });
element.addEventListener("dragover", (event) => event.preventDefault());
drop.addEventListener("dragleave", () => { drop.hidden = true; });
element.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.hidden = true;
  if (event.dataTransfer.files.length) dropped(event.dataTransfer.files[0]);
});

// 7. Begin when the tab is first looked at; see what is new each time it is looked at again, and when a record comes.
const toolbar = createToolbar({ changed: refill, dropped, emptied: async () => { if (await ask("gallery_empty")) refill(); } });
const large = createLarge(dialog, { act, ask, near });
element.querySelector(".tools").append(toolbar.node);
new IntersectionObserver(([seen]) => { if (seen.isIntersecting) refresh(); }).observe(toolbar.node);
new IntersectionObserver(([seen]) => { if (seen.isIntersecting) more(); }, { rootMargin: "900px" }).observe(sentinel);
// Records also come from other tabs, devices and the command line.
let newest;
async function look() {
  if (element.offsetParent && !document.hidden) {
    const answer = await server.gallery_newest({}).catch(() => ({}));
    // What was skipped, because a page was just being read, is looked at again the next time.
    if (answer.newest !== undefined && answer.newest !== newest && (await refresh())) newest = answer.newest;
  }
  setTimeout(look, LOOK_MS);
}
look();
