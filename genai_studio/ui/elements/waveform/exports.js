// Everything a piece can be taken away as: the recording at once, the other formats when they are asked for.
// `createExports({url, roles, formats, title})` returns {node, close}; `formats` are [name, title, group].
const createExports = (() => {
  const { say, make, icon, url } = window.studio;
  const NAMES = { midi: "MIDI", musicxml: "MusicXML" };

  function save(address) {
    const link = make("a", { href: address, download: true, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
  }

  return function create(sound) {
    const status = make("p", { class: "making", role: "status" });
    const list = make("div", { class: "formats", role: "menu", hidden: true, "aria-label": say("Export") });
    const opener = make("button", { class: "export", type: "button", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => open(list.hidden) } }, icon("download"), make("span", { text: say("Export") }), icon("more"));
    const node = make("div", { class: "downloads" });
    const asked = new AbortController();

    function open(next) {
      list.hidden = !next;
      opener.setAttribute("aria-expanded", String(next));
      if (next) list.querySelector("button")?.focus();
    }
    // It is made by the first request; the browser then saves the finished file.
    async function take(name, title) {
      open(false);
      opener.focus();
      const address = url(`${sound.url}/export/${name}?download=1`);
      status.className = "making";
      status.textContent = say("Making the file: {title} …", { title });
      try {
        const response = await fetch(address, { signal: asked.signal });
        if (!response.ok) {
          const told = await response.json().catch(() => ({}));
          throw new Error(say(told.detail || "This could not be exported. Try again."));
        }
        await response.body?.cancel();
        save(address);
        status.textContent = say("Saved: {title}", { title });
      } catch (error) {
        if (asked.signal.aborted) return;
        status.className = "making bad";
        status.textContent = error instanceof TypeError ? say("The studio did not answer. Try again.") : error.message;
      }
    }
    const groups = new Map();
    for (const [name, title, group] of sound.formats || []) {
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(make("button", { type: "button", role: "menuitem", tabindex: "-1", data: { format: name }, text: say(title), on: { click: () => take(name, say(title)) } }));
    }
    for (const [group, buttons] of groups) list.append(make("div", { class: "group", role: "group", "aria-label": say(group) }, make("b", { text: say(group) }), ...buttons));
    list.addEventListener("keydown", (event) => {
      const items = [...list.querySelectorAll("button")];
      const here = items.indexOf(document.activeElement);
      const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 }[event.key];
      if (event.key === "Escape" || event.key === "Tab") {
        open(false);
        opener.focus();
        if (event.key === "Tab") return;
      } else if (to === undefined) return;
      else items[(to + items.length) % items.length].focus();
      event.preventDefault();
      event.stopPropagation();
    });
    const outside = (event) => { if (!node.contains(event.target)) open(false); };
    document.addEventListener("pointerdown", outside);

    const files = groups.size ? [["", say("Download")]] : [["", say("Download")], ...(sound.roles || []).filter((role) => NAMES[role]).map((role) => [role, NAMES[role]])];
    node.append(...files.map(([role, name]) => make("a", { href: `${url(sound.url)}${role ? `/${role}` : ""}?download=1`, download: true }, icon("download"), name)));
    if (groups.size) node.append(make("div", { class: "menu" }, opener, list));
    node.append(status);
    function close() {
      asked.abort();
      document.removeEventListener("pointerdown", outside);
    }
    return { node, close };
  };
})();
