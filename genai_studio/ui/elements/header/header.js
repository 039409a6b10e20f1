// The wordmark, the queue's chip, and the switches for language and sheet.
const { say, make, icon, language, languages, dark, switchLanguage, switchTheme } = window.studio;
const chip = element.querySelector(".queue-chip");
const count = element.querySelector(".count");
const tongue = element.querySelector(".language");
const sheet = element.querySelector(".sheet");
const tags = Object.keys(languages);
const next = tags[(tags.indexOf(language) + 1) % tags.length];

tongue.append(icon("globe"), make("span", { class: "word", lang: next, text: languages[next] }));
tongue.setAttribute("aria-label", `${say("Language")}: ${languages[next]}`);
tongue.addEventListener("click", () => switchLanguage(next));

function drawSheet() {
  const label = dark() ? say("Switch to light") : say("Switch to dark");
  sheet.replaceChildren(icon(dark() ? "sun" : "moon"));
  sheet.title = label;
  sheet.setAttribute("aria-label", label);
}
sheet.addEventListener("click", switchTheme);
window.addEventListener("studio:theme", drawSheet);

function drawChip({ running = 0, waiting = 0, paused = false } = {}) {
  const parts = [];
  if (paused) parts.push(say("Paused"));
  if (running) parts.push(say("{n} running", { n: running }));
  if (waiting) parts.push(say("{n} waiting", { n: waiting }));
  count.textContent = parts.join(" · ") || say("Queue empty");
  chip.classList.toggle("busy", running > 0);
  chip.classList.toggle("paused", paused);
  chip.setAttribute("aria-label", `${say("Queue")}: ${count.textContent}`);
}
window.addEventListener("studio:queue", (event) => drawChip(event.detail));
chip.addEventListener("click", () => window.dispatchEvent(new Event("studio:open-queue")));

drawSheet();
drawChip();
