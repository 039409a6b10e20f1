// A card a model: what it is, whose licence, where it comes from, whether it is here; a download with its progress.
const { say, make, icon } = window.studio;
const [groups, own, said] = [".groups", ".own", ".said"].map((name) => element.querySelector(name));
const POLL_MS = 400;
const followed = new Set();

async function ask(name, payload = {}) {
  let answer;
  try {
    answer = await server[name](payload);
  } catch {
    answer = { error: say("The studio does not answer. Is it still running?") };
  }
  said.textContent = answer.error || "";
  return answer.error ? null : answer;
}

function bytes(size) {
  if (size >= 1e9) return `${(size / 1e9).toFixed(1)} GB`;
  return size >= 1e6 ? `${Math.round(size / 1e6)} MB` : `${Math.max(1, Math.round(size / 1e3))} KB`;
}

function state(model) {
  if (model.own) return ["here", say("Your own file")];
  if (model.included) return ["here", say("Comes with the studio")];
  if (model.present) return ["here", say("On this machine")];
  return ["away", model.partly ? say("Needs a download once") : say("Not downloaded yet")];
}

function fact(name, ...value) {
  return make("div", { class: "fact" }, make("dt", { text: name }), make("dd", {}, ...value));
}

function drawDownload(model, box) {
  const { download } = model;
  box.replaceChildren();
  if (download && !download.ended) {
    const share = typeof download.fraction === "number" ? download.fraction : null;
    const bar = make("div", { class: "fill" });
    if (share !== null) bar.style.width = `${Math.round(share * 100)}%`;
    box.append(
      make("div", {
        class: share === null ? "track unknown" : "track", role: "progressbar", "aria-label": say("Download of {title}", { title: model.title }),
        "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": share === null ? undefined : String(Math.round(share * 100)),
      }, bar),
      make("p", { class: "line", text: share === null ? download.line : `${download.line} · ${Math.round(share * 100)}\u00a0%` }),
      make("button", { type: "button", class: "plain", text: say("Stop"), on: { click: () => ask("models_stop", { id: model.id }) } }));
    return;
  }
  if (download && download.failed) box.append(make("p", { class: "line bad", role: "alert", text: download.line }));
  if (model.present || model.included || model.own) return;
  box.append(make("button", { type: "button", class: "get", on: { click: () => fetchModel(model, box) } }, icon("download"),
    model.size ? say("Download {size}", { size: bytes(model.size) }) : say("Download")));
}

async function fetchModel(model, box) {
  const answer = await ask("models_download", { id: model.id });
  if (!answer) return;
  model.download = answer.download;
  drawDownload(model, box);
  follow(model, box);
}

async function follow(model, box) {
  if (followed.has(model.id)) return;
  followed.add(model.id);
  while (model.download && !model.download.ended) {
    await new Promise((next) => setTimeout(next, POLL_MS));
    const answer = await ask("models_progress", { id: model.id });
    if (!answer) break;
    model.download = answer.download;
    if (!model.download.ended) drawDownload(model, box);
  }
  followed.delete(model.id);
  if (model.download && model.download.failed) drawDownload(model, box);
  else load();
}

function drawModel(model) {
  const [kind, words] = state(model);
  const box = make("div", { class: "download" });
  const licence = model.own ? [model.licence]
    : [model.licence, make("span", { class: model.commercial ? "free" : "limited", text: model.commercial ? say("free for commercial use") : say("not for commercial use") })];
  const card = make("article", { class: "model", data: { id: model.id } },
    make("header", {}, make("div", {}, make("h3", { text: model.title }), make("p", { class: "task", text: model.task })), make("span", { class: `state ${kind}`, text: words })),
    make("p", { class: "summary", text: model.summary }),
    make("dl", {},
      fact(say("Licence"), ...licence),
      model.size ? fact(say("Size"), bytes(model.size)) : null,
      model.memory ? fact(say("Memory in use"), say("about {size}", { size: bytes(model.memory) })) : null,
      model.sources.length ? fact(say("From"), ...model.sources.map((source) => make("code", { text: source }))) : null),
    box);
  drawDownload(model, box);
  if (model.download) follow(model, box);
  return card;
}

function drawOwn(folder) {
  own.hidden = !folder;
  if (!folder) return;
  const path = make("code", { class: "path", text: folder, tabindex: "0" });
  const copy = make("button", { type: "button", class: "plain", on: { click: () => navigator.clipboard?.writeText(folder).then(() => { said.textContent = say("Copied."); }) } }, icon("copy"), say("Copy"));
  const again = make("button", { type: "button", class: "plain", on: { click: async () => { if (await load()) said.textContent = say("Looked again. A new model is in its room after a reload of the page."); } } }, icon("retry"), say("Look again"));
  own.replaceChildren(
    make("h2", { text: say("Your own models") }),
    make("p", { text: say("Any chat model in the GGUF format works, and any soundfont (.sf2) plays tunes: put the file into this folder and look again. Nothing in it is run as a program.") }),
    make("div", { class: "where" }, path, copy, again));
}

async function load() {
  const answer = await ask("models_list");
  if (!answer) return false;
  const filled = answer.groups.filter((group) => group.models.length);
  groups.replaceChildren(...filled.map((group) => make("section", { class: "group", "aria-label": group.name },
    make("h2", {}, icon(group.key), group.name), make("div", { class: "cards" }, ...group.models.map(drawModel)))));
  drawOwn(answer.folder);
  return true;
}

new IntersectionObserver(([seen]) => { if (seen.isIntersecting && !followed.size) load(); }).observe(element.firstElementChild);
