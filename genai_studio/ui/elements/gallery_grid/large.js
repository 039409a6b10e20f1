// The large view: the work on the left, what it is and what can be done with it on the right.
const ROLES = { midi: "MIDI", musicxml: "MusicXML", score: say("Score (JSON)"), recipe: say("Recipe") };

// `act(name, card, more)` as for cards; `ask` calls Python; `near(id, step)` is the card before or after.
function createLarge(dialog, { act, ask, near }) {
  let card = null;
  let known = null;
  let shows = 0;
  let closers = [];
  const stage = make("div", { class: "stage" });
  const panel = make("aside", { class: "facts-side" });
  const note = make("p", { class: "note", role: "status", "aria-live": "polite", hidden: true });
  const shut = iconButton("close", say("Close"), () => dialog.close(), { class: "shut round" });
  const back = iconButton("left", say("Previous"), () => turn(-1), { class: "turn back round" });
  const forth = iconButton("right", say("Next"), () => turn(1), { class: "turn forth round" });
  dialog.setAttribute("aria-label", say("Large view"));
  dialog.append(make("div", { class: "inner" }, make("div", { class: "left" }, stage, back, forth), panel), shut);

  function turn(step) {
    const next = card && near(card.id, step);
    if (next) show(next);
  }
  function clean() {
    closers.forEach((close) => close());
    closers = [];
  }

  function drawImage() {
    const picture = make("img", { src: url(card.url), alt: card.title, width: card.width, height: card.height });
    const fit = make("button", { class: "picture", type: "button", "aria-label": say("Full size"), on: { click: () => stage.classList.toggle("full") } }, picture);
    stage.append(fit);
  }
  function drawAudio(details) {
    const player = createPlayer({ ...card, title: cardTitle(card) }, { bars: window.innerWidth < 700 ? 52 : 110 });
    closers.push(player.close);
    const box = make("div", { class: "listen" }, make("h3", { text: cardTitle(card) }), player.node);
    if (details && details.roll) {
      const roll = createRoll();
      closers.push(roll.close);
      box.append(roll.node);
      requestAnimationFrame(() => roll.show({ ...details.roll, src: card.url }));
    }
    stage.append(box);
  }
  async function drawText() {
    const body = make("article", { class: "reading", tabindex: "0", text: card.excerpt });
    stage.append(body);
    const wanted = card.id;
    try {
      const answer = await fetch(url(card.url));
      if (answer.ok && card && card.id === wanted) body.textContent = await answer.text();
    } catch { /* the excerpt stays */ }
  }

  function button(name, label, run, options = {}) {
    return make("button", { type: "button", class: "act", on: { click: run }, ...options }, icon(name), label);
  }
  function drawActions() {
    if (card.trashed) {
      const gone = button("trash", say("Delete for good"), () => {}, { class: "act danger" });
      twice(gone, say("Really? This cannot be undone."), () => act("purge", card));
      return make("div", { class: "deeds" }, button("undo", say("Restore"), () => act("restore", card), { class: "act first" }), gone);
    }
    const star = button("star", card.starred ? say("Starred") : say("Star"), () => { act("star", card); }, { "aria-pressed": String(Boolean(card.starred)) });
    const files = [["", say("Download")], ...card.companions.map((role) => [role, ROLES[role] || role])];
    return make("div", { class: "deeds" },
      !card.derived && button("settings", say("Use settings"), () => act("use", card), { class: "act first" }),
      button("again", say("Make again"), () => act("again", card)),
      ...(card.enlarge || []).map((scale) => button("enlarge", say("Enlarge {n}×", { n: scale }), () => act("upscale", card, { scale }))),
      star,
      ...files.map(([role, name]) => make("a", { class: "act", href: `${url(card.url)}${role ? `/${role}` : ""}?download=1`, download: true }, icon("download"), name)),
      card.kind === "text" && button("copy", say("Copy"), (event) => copy(stage.querySelector(".reading").textContent, event.currentTarget)),
      button("trash", say("Delete"), () => act("trash", card), { class: "act danger" }));
  }
  async function copy(text, target) {
    try { await navigator.clipboard.writeText(text); } catch { return; }
    target.classList.add("done");
    setTimeout(() => target.classList.remove("done"), 1200);
  }

  function rows(list) {
    const pairs = list.map(([name, value, mono]) => make("div", { class: mono ? "pair mono" : "pair" },
      make("dt", { text: name }), make("dd", { text: value, title: mono ? value : undefined })));
    return make("dl", {}, ...pairs);
  }
  function section(title, list, open) {
    return list.length ? make("details", { open }, make("summary", { text: title }), rows(list)) : null;
  }
  function relatives(title, cards) {
    if (!cards.length) return null;
    return make("div", { class: "family" }, make("h4", { text: title }), make("div", { class: "row" }, ...cards.map((other) => (
      make("button", { type: "button", "aria-label": say("Open: {kind}, {title}", { kind: NOUNS[other.kind], title: cardTitle(other).slice(0, 200) }), on: { click: () => show(other) } },
        other.thumbnail ? make("img", { src: url(other.thumbnail), alt: "" }) : icon(other.modality))))));
  }

  function drawPanel() {
    const details = known;
    const facts = [card.model_title, moment.format(new Date(card.created * 1000)),
      card.width && `${card.width} × ${card.height}`, card.duration && clock(card.duration)].filter(Boolean).join(" · ");
    panel.replaceChildren(...[
      make("p", { class: card.title.trim() ? "prompt" : "prompt none", text: cardTitle(card), tabindex: "0" }),
      make("p", { class: "facts", text: facts }),
      details && details.verdict && make("p", { class: `verdict ${details.verdict_kind}`, text: details.verdict }),
      drawActions(), note,
      details && section(say("Settings"), details.settings, true),
      details && relatives(say("Made from"), details.parents),
      details && relatives(say("Made from this"), details.children),
      details && section(say("Where it comes from"), details.origin, false),
      details && section(say("Files and hashes"), details.files, false),
    ].filter(Boolean));
  }

  async function show(next) {
    const same = card && card.id === next.id;
    const mine = ++shows;
    card = next;
    clean();
    if (!same) setNote("");
    known = null;
    stage.className = `stage ${card.kind}`;
    stage.replaceChildren();
    drawPanel();
    if (card.kind === "image") drawImage();
    if (card.kind === "text") drawText();
    back.hidden = !near(card.id, -1);
    forth.hidden = !near(card.id, 1);
    if (!dialog.open) { dialog.showModal(); shut.focus(); hold(true); }
    const details = await ask("gallery_details", { id: next.id });
    if (!card || mine !== shows) return;
    if (details) Object.assign(card, details.card);
    known = details;
    if (card.kind === "audio") drawAudio(details);
    drawPanel();
  }

  function setNote(text, kind = "") {
    note.textContent = text;
    note.className = `note ${kind}`;
    note.hidden = !text;
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.target.closest("[role=slider], input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft") turn(-1);
    else if (event.key === "ArrowRight") turn(1);
    else if (event.key === "s" && card && !card.trashed) act("star", card);
    else if ((event.key === "Delete" || event.key === "Backspace") && card && !card.trashed) act("trash", card);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target === stage) dialog.close(); });
  // The page behind stands still, and its scrollbar leaves the whole width to the work.
  function hold(on) {
    document.documentElement.style.overflow = on ? "hidden" : "";
    document.documentElement.style.scrollbarGutter = on ? "auto" : "";
  }
  dialog.addEventListener("close", () => { hold(false); clean(); stage.replaceChildren(); act("closed", card); card = null; });
  return { show, note: setNote, shown: () => card, redraw: () => card && drawPanel() };
}
