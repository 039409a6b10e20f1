// Runs in the page's head after Gradio has read its configuration and before it draws anything.
// Owns the language, the light and dark sheets and the keyboard; `window.studio` is what the elements use.
(() => {
  const SETUP = /*SETUP*/ null;
  const COOKIE = SETUP.cookie;
  const THEME = "genai-studio-theme";

  // 1. Language: chosen before, or set for this studio, or what the browser asks for.
  const cookie = document.cookie.split("; ").find((part) => part.startsWith(COOKIE + "="));
  const stored = cookie ? cookie.split("=")[1] : read(COOKIE);
  const asked = (navigator.languages || [navigator.language]).map((tag) => tag.toLowerCase());
  const wanted = asked.find((tag) => tag.startsWith("zh") || tag.startsWith("en")) || "en";
  const language = SETUP.languages[stored] ? stored : SETUP.language || (wanted.startsWith("zh") ? "zh-CN" : "en");
  const words = SETUP.words[language] || {};
  remember(COOKIE, language);
  document.cookie = `${COOKIE}=${language}; path=/; max-age=31536000; samesite=lax`;
  document.documentElement.lang = language;

  function read(name) {
    try { return localStorage.getItem(name) || ""; } catch { return ""; }
  }
  function remember(name, value) {
    try { localStorage.setItem(name, value); } catch { /* a private window keeps nothing */ }
  }

  // `{name}` in a text is filled from values; English is its own key.
  const BLANK = /\{(\w+)\}/g;
  const fill = (text, values) => text.replace(BLANK, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
  function say(text, values = {}) {
    if (Object.hasOwn(words, text)) return fill(words[text], values);
    return language === "en" ? fill(text, values) : byTemplate(text) ?? fill(text, values);
  }

  // Keys with blanks also fit finished sentences, as in ui/i18n.py.
  let templates;
  const fixed = (key) => key.replace(BLANK, "").length;
  const literal = (part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  function byTemplate(text) {
    templates ??= Object.keys(words).filter((key) => key.match(BLANK) && fixed(key) >= SETUP.least)
      .sort((one, other) => fixed(other) - fixed(one))
      .map((key) => [new RegExp(`^${key.split(BLANK).map((part, place) => (place % 2 ? `(?<${part}>.+?)` : literal(part))).join("")}$`, "s"), words[key]]);
    for (const [pattern, translated] of templates) {
      const found = text.match(pattern);
      if (found) return fill(translated, found.groups);
    }
    return null;
  }

  // Labels, helps, choices and the words on buttons; never what a person typed.
  function translate(config) {
    for (const { type, props } of config.components || []) {
      if (!props) continue;
      for (const name of ["label", "info", "placeholder"]) {
        if (typeof props[name] === "string") props[name] = say(props[name]);
      }
      if (["button", "markdown"].includes(type) && typeof props.value === "string") props.value = say(props.value);
      if (Array.isArray(props.choices)) {
        props.choices = props.choices.map(([name, value]) => [typeof name === "string" ? say(name) : name, value]);
      }
    }
    return config;
  }
  if (language !== "en" && window.gradio_config) translate(window.gradio_config);

  // Gradio's own few words ("Drop file here") follow the browser, not our switch: tell its dictionary.
  function turnGradio() {
    const core = performance.getEntriesByType("resource").find((entry) => /\/assets\/core-[^/]+\.js$/.test(entry.name));
    if (core) import(core.name).then((module) => module.changeLocale && module.changeLocale(language)).catch(() => {});
  }
  turnGradio();

  function switchLanguage(next) {
    remember(COOKIE, next);
    document.cookie = `${COOKIE}=${next}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  }

  // 2. Light and dark: "light", "dark" or "" for the system's.
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  function dark() {
    const chosen = read(THEME);
    return chosen ? chosen === "dark" : system.matches;
  }
  function paint() {
    document.body.classList.toggle("dark", dark());
    window.dispatchEvent(new CustomEvent("studio:theme", { detail: { dark: dark() } }));
  }
  function switchTheme() {
    remember(THEME, dark() ? "light" : "dark");
    paint();
  }
  system.addEventListener("change", () => setTimeout(paint));
  paint();

  // 3. Keyboard: Ctrl or Cmd+Enter anywhere in a room starts it; Alt+Up and Alt+Down walk through earlier prompts.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const room = event.target.closest?.(".room");
      const button = room && room.querySelector("button.generate");
      if (button) {
        event.preventDefault();
        // The box tells Gradio what was typed in a task of its own; click after it.
        setTimeout(() => button.click(), 60);
      }
    }
  }, true);

  // 4. Addresses: the page may live below a path, so "/media/x" is read from the page's own base.
  const url = (path) => new URL(String(path).replace(/^\//, ""), document.baseURI).href;

  // Small builder for elements: text is always set as text.
  function make(tag, options = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (value === undefined || value === null || value === false) continue;
      if (name === "text") node.textContent = value;
      else if (name === "on") for (const [kind, listener] of Object.entries(value)) node.addEventListener(kind, listener);
      else if (name === "data") Object.assign(node.dataset, value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }
  const ICONS = SETUP.icons;
  function icon(name) {
    const holder = document.createElement("span");
    holder.className = "icon";
    holder.setAttribute("aria-hidden", "true");
    holder.innerHTML = `<svg viewBox="0 0 24 24">${ICONS[name] || ""}</svg>`;
    return holder;
  }
  function duration(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return say("{n} s", { n: whole });
    if (whole < 3600) return say("{m} min {s} s", { m: Math.floor(whole / 60), s: whole % 60 });
    return say("{h} h {m} min", { h: Math.floor(whole / 3600), m: Math.floor((whole % 3600) / 60) });
  }

  window.studio = { language, languages: SETUP.languages, say, url, make, icon, duration, dark, switchLanguage, switchTheme };
})();
