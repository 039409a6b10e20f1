// Search and filters. `changed(filter)` is called when they have settled; `dropped(file)` when a file was chosen.
const FILTER = { words: "", modality: null, model: null, starred: null, trashed: false };
const SETTLE_MS = 250;

function createToolbar({ changed, dropped, emptied }) {
  const filter = { ...FILTER };
  let timer = 0;
  const search = make("input", {
    type: "search", class: "search", placeholder: say("Search prompts and texts"), "aria-label": say("Search"), maxlength: 500,
    autocomplete: "off", spellcheck: "false",
  });
  const kinds = [[null, say("All")], ["image", say("Images")], ["text", say("Texts")], ["music", say("Music")]];
  const chips = kinds.map(([modality, name]) => make("button", {
    type: "button", class: "chip", on: { click: () => set({ modality }) },
  }, modality && icon(modality), name));
  const starred = make("button", { type: "button", class: "chip", on: { click: () => set({ starred: filter.starred ? null : true }) } }, icon("star"), say("Starred"));
  const trash = make("button", { type: "button", class: "chip", on: { click: () => set({ trashed: !filter.trashed }) } }, icon("trash"), say("Trash"));
  const model = make("select", { class: "chip model", "aria-label": say("Model"), on: { change: () => set({ model: model.value || null }) } });
  const picker = make("input", { type: "file", hidden: true, "aria-hidden": "true", tabindex: "-1" });
  const restore = make("button", {
    type: "button", class: "chip file", title: say("Drop a file that the studio made anywhere here to get its settings back."),
    on: { click: () => picker.click() },
  }, icon("file"), say("Settings from a file"));
  const empty = make("button", { type: "button", class: "chip danger", hidden: true }, icon("trash"), say("Empty the trash"));
  const hint = make("p", { class: "hint", text: say("What you delete waits here for 30 days."), hidden: true });
  twice(empty, say("Really? This cannot be undone."), emptied);
  const node = make("div", { class: "bar", role: "search", "aria-label": say("Gallery") },
    make("label", { class: "searchbox" }, icon("search"), search),
    make("div", { class: "chips", role: "group", "aria-label": say("Filter") },
      make("div", { class: "group" }, ...chips), starred, model, trash, empty, restore, picker),
    hint);

  function draw() {
    chips.forEach((chip, place) => chip.setAttribute("aria-pressed", String(filter.modality === kinds[place][0])));
    starred.setAttribute("aria-pressed", String(Boolean(filter.starred)));
    trash.setAttribute("aria-pressed", String(filter.trashed));
    empty.hidden = hint.hidden = !filter.trashed;
  }
  function set(change, later = 0) {
    Object.assign(filter, change);
    draw();
    clearTimeout(timer);
    timer = setTimeout(() => changed({ ...filter }), later);
  }
  search.addEventListener("input", () => set({ words: search.value }, SETTLE_MS));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && search.value) { search.value = ""; set({ words: "" }); }
    if (event.key === "Enter") set({ words: search.value });
  });
  picker.addEventListener("change", () => {
    if (picker.files.length) dropped(picker.files[0]);
    picker.value = "";
  });

  // `models` are [id, title]; the one in use stays chosen.
  function models(list) {
    const options = list.map(([id, title]) => make("option", { value: id, selected: id === filter.model, text: title }));
    model.replaceChildren(make("option", { value: "", text: say("Every model") }), ...options);
    model.hidden = list.length < 2 && !filter.model;
  }
  function clear() {
    search.value = "";
    model.value = "";
    set(FILTER);
  }
  models([]);
  draw();
  return { node, search, models, clear, filter: () => ({ ...filter }), plain: () => Object.keys(FILTER).every((name) => filter[name] === FILTER[name]) };
}

// A button that asks once more before it does what cannot be undone.
function twice(button, question, run) {
  const name = [...button.childNodes];
  let timer = 0;
  const calm = () => { clearTimeout(timer); button.classList.remove("sure"); button.replaceChildren(...name); };
  button.addEventListener("click", () => {
    if (button.classList.contains("sure")) { calm(); run(); return; }
    button.classList.add("sure");
    button.replaceChildren(question);
    timer = setTimeout(calm, 4000);
  });
}
