// What runs, how far it is and how long still; what waits; what did not work. Collapsed to one line until opened.
const { say, make, icon, duration } = window.studio;
const [dock, sheet, now] = [".dock", ".sheet", ".now"].map((name) => element.querySelector(name));
let open = false;
let last = "";

const act = (action, job = "") => trigger("act", { action, job });

function button(name, label, action, disabled = false) {
  return make("button", { class: "do", type: "button", title: label, "aria-label": label, disabled, on: { click: action } }, icon(name));
}
const title = (job) => (!job.mine ? say("Another person's job") : job.title || job.model);

function about(job) {
  const left = job.left > 1 ? " · " + say("{time} left", { time: duration(job.left) }) : "";
  const bad = job.state === "failed" || job.state === "interrupted";
  const words = bad ? job.status : [job.mine && job.title ? job.model : "", job.status].filter(Boolean).join(" · ") + left;
  return make("div", { class: "about" }, make("span", { class: "name", text: title(job) }), make("span", { class: bad ? "what bad" : "what", text: words }));
}

function row(job, place, waiting) {
  const item = make("li", {}, about(job));
  if (job.state === "running" || job.state === "loading") {
    item.firstChild.append(make("span", { class: "line" }, make("i", { style: `width:${100 * (job.fraction || 0)}%` })));
  }
  if (!job.mine) return item;
  if (job.state === "queued") {
    item.append(button("up", say("Earlier"), () => act("up", job.id), place === 0), button("down", say("Later"), () => act("down", job.id), place === waiting - 1));
  }
  if (job.state === "failed" || job.state === "interrupted") {
    item.append(button("retry", say("Retry"), () => act("retry", job.id)), button("close", say("Dismiss"), () => act("dismiss", job.id)));
  } else item.append(button("stop", job.state === "queued" ? say("Cancel") : say("Stop"), () => act("cancel", job.id)));
  return item;
}

function list(heading, jobs) {
  return jobs.length ? [make("h3", { text: heading }), make("ul", {}, ...jobs.map((job, place) => row(job, place, jobs.length)))] : [];
}

function draw() {
  const { jobs = [], paused = false } = props.value || {};
  const running = jobs.filter((job) => job.state === "running" || job.state === "loading");
  const waiting = jobs.filter((job) => job.state === "queued");
  const broken = jobs.filter((job) => job.state === "failed" || job.state === "interrupted");
  window.dispatchEvent(new CustomEvent("studio:queue", { detail: { running: running.length, waiting: waiting.length, paused } }));

  dock.hidden = !open && !jobs.length;
  dock.classList.toggle("open", open);
  dock.setAttribute("aria-label", say("Queue"));
  sheet.hidden = !open;
  const focused = document.activeElement && element.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : "";
  if (open) {
    const head = make("div", { class: "title" }, make("h2", { text: say("Queue") }), make("div", {},
      paused ? button("play", say("Go on"), () => act("resume")) : button("pause", say("Pause the queue"), () => act("pause")),
      button("close", say("Close"), toggle)));
    const empty = jobs.length ? [] : [make("p", { class: "none", text: say("Nothing runs and nothing waits.") })];
    sheet.replaceChildren(head, ...list(say("Running"), running), ...list(paused ? say("Waiting; the queue is paused") : say("Waiting"), waiting), ...list(say("Not finished"), broken), ...empty);
  }
  const first = running[0] || waiting[0] || broken[0];
  now.hidden = open || !first;
  if (first && !open) {
    const more = jobs.length - 1;
    const label = paused && !running.length ? say("Paused") : more > 0 ? say("{n} more", { n: more }) : say("Queue");
    const opener = make("button", { class: "do", type: "button", "aria-expanded": "false", on: { click: toggle } }, make("span", { text: label }), icon("up"));
    const stop = first.mine && first.state !== "failed" && first.state !== "interrupted" ? button("stop", say("Stop"), () => act("cancel", first.id)) : null;
    const retry = first.mine && (first.state === "failed" || first.state === "interrupted") ? button("retry", say("Retry"), () => act("retry", first.id)) : null;
    now.replaceChildren(about(first), opener, ...[stop, retry].filter(Boolean), make("div", { class: "far" }, make("i", { style: `width:${100 * (first.fraction || 0)}%` })));
  }
  if (focused) [...element.querySelectorAll("button")].find((node) => node.getAttribute("aria-label") === focused)?.focus();
}

function toggle() {
  open = !open;
  draw();
  element.querySelector(open ? ".title button:last-child" : ".now button")?.focus();
}
window.addEventListener("studio:open-queue", toggle);
element.addEventListener("keydown", (event) => { if (event.key === "Escape" && open) toggle(); });

draw();
watch("value", () => {
  const text = JSON.stringify(props.value);
  if (text !== last) { last = text; draw(); }
});
