// The pictures of one job: blank tiles, then previews, then the saved files with what can be done with each.
const { say, url, make, icon, duration } = window.studio;
const [stage, track, bar, status, light] = [".stage", ".track", ".bar", ".status", ".light"].map((name) => element.querySelector(name));
const tiles = new Map();
let job = "";
let opened = -1;

const act = (action, record, more = {}) => trigger("act", { action, record, ...more });

function tool(name, label, action, options = {}) {
  return make("button", { class: "tool", type: "button", title: label, "aria-label": label, on: { click: action }, ...options },
    icon(name), make("span", { class: "name", text: label }));
}

function toolbar(record) {
  const save = make("a", { class: "tool", href: url(record.url) + "?download=1", download: true, title: say("Download"), "aria-label": say("Download") },
    icon("download"), make("span", { class: "name", text: say("Download") }));
  const bar = make("div", { class: "tools", role: "toolbar", "aria-label": say("What to do with this picture") },
    tool("star", record.starred ? say("Starred") : say("Star"), () => act("star", record.id), { "aria-pressed": String(Boolean(record.starred)) }));
  if (record.enlarge) {
    for (const times of record.enlarge) bar.append(tool("enlarge", say("Enlarge {n}×", { n: times }), () => act("enlarge", record.id, { scale: times }),
      { class: "tool times", data: { times: `${times}×` } }));
  }
  bar.append(tool("again", say("Make again"), () => act("again", record.id)), save);
  bar.append(tool("settings", say("Use settings"), () => act("settings", record.id)));
  return bar;
}

function blank() {
  return make("div", { class: "blank", role: "img", "aria-label": say("Not drawn yet") });
}

// The next preview is loaded before it takes the place of the last, so that nothing flickers.
function swap(image, address) {
  if (image.dataset.wanted === address) return;
  image.dataset.wanted = address;
  const next = new Image();
  next.onload = () => { if (image.dataset.wanted === address) image.src = address; };
  next.src = address;
}

function drawTile(tile, item) {
  const key = item.record ? "r" + item.record.id + item.record.starred + item.record.comparison : item.preview ? "p" : "b";
  if (tile.key !== key) {
    const from = tile.node.querySelector("img")?.src;
    tile.key = key;
    tile.node.replaceChildren();
    if (key === "b") tile.node.append(blank());
    else {
      const label = item.record ? say("Open: {prompt}", { prompt: item.record.prompt }) : say("Preview");
      const image = make("img", { alt: item.record ? item.record.prompt : say("Preview"), draggable: true });
      if (from) image.src = from;
      const large = item.record && item.record.width > 600 ? " large" : "";
      tile.node.append(make(item.record ? "button" : "div", {
        class: "picture" + (item.record ? large : " coming"), type: item.record && "button", "aria-label": item.record && label,
        on: item.record ? { click: () => open(item.index) } : {},
      }, image));
      if (item.record) tile.node.append(toolbar(item.record));
      if (item.record?.comparison) tile.node.append(make("p", { class: "verdict " + item.record.verdict, text: item.record.comparison }));
    }
  }
  const image = tile.node.querySelector("img");
  if (image) swap(image, url(item.record ? item.record.url : item.preview));
}

function drawStage(view) {
  const items = view.tiles || [];
  const one = items.length === 1;
  stage.className = "stage " + (one ? "one" : "many");
  const columns = Math.min(Math.ceil(Math.sqrt(items.length)) + (items.length === 3 ? 1 : 0), 4);
  stage.style.setProperty("--columns", columns);
  stage.style.setProperty("--rows", Math.ceil(items.length / columns));
  if (view.job !== job) { tiles.clear(); stage.replaceChildren(); job = view.job; }
  for (const item of items) {
    let tile = tiles.get(item.index);
    if (!tile) {
      tile = { node: make("figure", { class: "tile" }), key: "" };
      tiles.set(item.index, tile);
      stage.append(tile.node);
    }
    drawTile(tile, item);
  }
}

function open(index) {
  const records = ((props.value || {}).tiles || []).filter((item) => item.record).map((item) => ({ ...item.record, index: item.index }));
  const place = records.findIndex((record) => record.index === index);
  if (place < 0) return;
  opened = index;
  const record = records[place];
  const turn = (step) => open(records[(place + step + records.length) % records.length].index);
  const shut = make("button", { class: "tool shut", type: "button", title: say("Close"), "aria-label": say("Close"), on: { click: () => light.close() } }, icon("close"));
  const facts = [record.model_title, record.width && `${record.width} × ${record.height}`, say("Seed {seed}", { seed: record.seed })].filter(Boolean).join(" · ");
  light.replaceChildren(make("div", { class: "inner" },
    make("div", { class: "view" }, make("img", { src: url(record.url), alt: record.prompt })),
    make("div", { class: "words" }, make("div", {}, make("p", { text: record.prompt }), make("p", { class: "facts", text: facts })), toolbar(record))), shut);
  if (records.length > 1) {
    for (const [side, step, label] of [["left", -1, say("Previous")], ["right", 1, say("Next")]]) {
      light.append(make("button", { class: "tool turn " + side, type: "button", title: label, "aria-label": label, on: { click: () => turn(step) } }, icon(side)));
    }
  }
  light.onkeydown = (event) => {
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  };
  if (!light.open) light.showModal();
  shut.focus();
}
light.addEventListener("close", () => { opened = -1; });

function draw() {
  const view = props.value || {};
  if (view.tiles ? !view.tiles.length : !view.job) {
    job = "";
    tiles.clear();
    stage.className = "stage one";
    stage.replaceChildren(make("p", { class: "empty" }, make("b", { text: say("Nothing here yet") }), say("Describe a picture and press Generate. It appears here as it is drawn.")));
  } else if (view.tiles) {
    if (view.job !== job || !tiles.size) stage.replaceChildren();
    drawStage(view);
    if (opened >= 0) open(opened);
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

draw();
watch("value", draw);
