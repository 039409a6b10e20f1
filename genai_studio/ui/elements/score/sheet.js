// Engraved music: the sheet with its bars to choose, and a cursor that follows the recording.
// `createSheet({seek, toggle, chosen})` returns {node, show, choose, mark, point, layout}. An engraving is
// {svg, bars: [[id, number, seconds], ...], events: [[seconds, [ids of what sounds]]]}. Outside, bars go by their numbers;
// inside, by their places: a pickup is number 0, can be heard and cannot be chosen.
const createSheet = (() => {
  const { say, make } = window.studio;
  const SVG = "http://www.w3.org/2000/svg";
  const TAGS = new Set(["svg", "g", "defs", "symbol", "use", "path", "rect", "line", "ellipse", "circle", "polygon", "polyline", "text", "tspan"]);
  const ATTRIBUTES = new Set([
    "id", "class", "d", "points", "transform", "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy",
    "overflow", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-dasharray", "fill-opacity", "stroke-opacity",
    "font-family", "font-size", "font-style", "font-weight", "text-anchor", "letter-spacing",
  ]);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  // Built anew from what music is drawn with: no script, style, link or handler comes through.
  function drawn(node) {
    if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || !TAGS.has(node.localName)) return null;
    const copy = document.createElementNS(SVG, node.localName);
    for (const { localName, name, value } of node.attributes) {
      if (localName === "href" && /^#[\w-]+$/.test(value)) copy.setAttribute("href", value);
      else if (ATTRIBUTES.has(name)) copy.setAttribute(name, value);
    }
    for (const child of node.childNodes) {
      const inner = drawn(child);
      if (inner) copy.append(inner);
    }
    return copy;
  }
  function picture(text) {
    const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    return root.localName === "svg" ? drawn(root) : null;
  }

  return function create({ seek, toggle, chosen }) {
    const paper = make("div", { class: "paper", "aria-hidden": "true" });
    const layer = make("div", { class: "layer", role: "listbox", "aria-multiselectable": "true", "aria-label": say("Bars of the score") });
    const cursor = make("div", { class: "cursor", hidden: true });
    const page = make("div", { class: "page" }, paper, layer, cursor);
    const node = make("div", { class: "sheet" }, page);
    let engraving = null;
    let boxes = [];
    let places = [];
    let options = [];
    let anchor = 0;
    let head = 0;
    let range = null;
    let marks = {};
    let limits = [1, 1];
    let now = -1;
    let row = -1;
    let sounding = [];

    const numberOf = (bar) => engraving.bars[bar][1];
    const placeOf = (number) => number - (engraving && engraving.bars.length ? numberOf(0) : 1);
    // What can be chosen: not a pickup, nor the bars before and after the tune that belong to the players alone.
    const least = () => placeOf(limits[0]);
    const most = () => Math.min(options.length - 1, placeOf(limits[1]));
    const find = (id) => paper.querySelector(`#${CSS.escape(id)}`);

    // Where each bar stands on the page, and each event in it.
    function layout() {
      if (!engraving || !node.clientWidth) return;
      const origin = page.getBoundingClientRect();
      boxes = engraving.bars.map(([id]) => {
        const lines = find(id)?.querySelectorAll(".staff > path") || [];
        if (!lines.length) return null;
        const [first, last] = [lines[0].getBoundingClientRect(), lines[lines.length - 1].getBoundingClientRect()];
        return { left: first.left - origin.left, right: first.right - origin.left, top: first.top - origin.top - 16, bottom: last.bottom - origin.top + 16 };
      });
      let line = -1;
      boxes.forEach((box, bar) => {
        if (!box) return;
        if (!boxes[bar - 1] || box.left <= boxes[bar - 1].left) line += 1;
        box.row = line;
        Object.assign(options[bar].style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.right - box.left}px`, height: `${box.bottom - box.top}px` });
      });
      const barOf = new Map(engraving.bars.map(([id], bar) => [id, bar]));
      places = [];
      for (const [seconds, ids] of engraving.events) {
        const items = ids.map(find).filter(Boolean);
        if (!items.length) continue;
        const bar = barOf.get(items[0].closest(".measure")?.id);
        const box = (items[0].querySelector(".notehead") || items[0]).getBoundingClientRect();
        if (bar !== undefined && boxes[bar]) places.push({ seconds, items, bar, x: box.left + box.width / 2 - origin.left });
      }
      if (now >= 0) point(now);
    }

    function show(next, chosable = [1, 1]) {
      engraving = next;
      limits = chosable;
      cursor.hidden = true;
      [now, row, sounding, places, boxes] = [-1, -1, [], [], []];
      const drawing = next && picture(next.svg);
      paper.replaceChildren(...(drawing ? [drawing] : []));
      options = (next ? next.bars : []).map(([, number], bar) => make("div", {
        role: "option", class: number < limits[0] || number > limits[1] ? "bar still" : "bar", tabindex: number === limits[0] ? "0" : "-1", "aria-selected": "false", "aria-label": say("Bar {n}", { n: number }), data: { bar },
      }));
      anchor = head = least();
      range = null;
      layer.replaceChildren(...options);
      layout();
      paint();
    }

    function paint() {
      const { working, fresh = [], echoes = [] } = marks;
      const within = (pair, bar) => Boolean(pair) && bar >= pair[0] && bar <= pair[1];
      const among = (pair, bar) => within(pair && pair.map(placeOf), bar);
      options.forEach((option, bar) => {
        option.setAttribute("aria-selected", String(within(range, bar)));
        option.classList.toggle("first", Boolean(range) && bar === range[0]);
        option.classList.toggle("last", Boolean(range) && bar === range[1]);
        option.classList.toggle("working", among(working, bar));
        option.classList.toggle("fresh", fresh.includes(numberOf(bar)));
        option.classList.toggle("echo", echoes.includes(numberOf(bar)));
      });
    }
    function mark(next) {
      marks = next;
      paint();
    }

    // Choosing.
    function choose(next, told = true) {
      range = next;
      paint();
      if (told) chosen(range && range.map(numberOf));
    }
    const held = (bar) => Math.max(least(), Math.min(most(), bar));
    function reach(bar) {
      head = held(bar);
      choose([Math.min(anchor, head), Math.max(anchor, head)]);
    }
    function focus(bar) {
      options.forEach((option, place) => option.setAttribute("tabindex", place === bar ? "0" : "-1"));
      options[bar]?.focus({ preventScroll: true });
      reveal(bar);
    }
    function reveal(bar) {
      const box = boxes[bar];
      if (box && (box.top < node.scrollTop || box.bottom > node.scrollTop + node.clientHeight)) {
        node.scrollTo({ top: box.top - 36, behavior: calm ? "auto" : "smooth" });
      }
    }
    const barAt = (event) => {
      const under = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".bar");
      return under && layer.contains(under) ? Number(under.dataset.bar) : -1;
    };
    const startOf = (bar) => engraving.bars[bar][2];

    let pressed = null;
    layer.addEventListener("pointerdown", (event) => {
      const bar = barAt(event);
      if (bar < 0 || event.button !== 0) return;
      pressed = { bar, moved: false, alone: Boolean(range) && range[0] === bar && range[1] === bar };
      if (event.shiftKey && range) {
        pressed.moved = true;
        reach(bar);
      }
    });
    layer.addEventListener("pointermove", (event) => {
      const bar = pressed ? barAt(event) : -1;
      if (bar < 0 || (bar === pressed.bar && !pressed.moved)) return;
      if (!pressed.moved) anchor = pressed.bar;
      pressed.moved = true;
      if (bar !== head) reach(bar);
    });
    layer.addEventListener("pointercancel", () => { pressed = null; });
    layer.addEventListener("click", (event) => {
      const press = pressed;
      pressed = null;
      const bar = barAt(event);
      if (bar < 0 || (press && press.moved)) return;
      // A click hears the note under it, and chooses its bar; a second one lets go.
      const x = event.clientX - page.getBoundingClientRect().left;
      const before = places.filter((place) => place.bar === bar && place.x <= x + 10).pop();
      seek(before ? before.seconds : startOf(bar));
      anchor = head = held(bar);
      focus(head);
      choose((press && press.alone) || head !== bar ? null : [bar, bar]);
    });
    layer.addEventListener("keydown", (event) => {
      const rows = (step) => {
        const here = boxes[head];
        const line = boxes.map((box, bar) => ({ box, bar })).filter(({ box }) => box && here && box.row === here.row + step);
        line.sort((one, other) => Math.abs(one.box.left - here.left) - Math.abs(other.box.left - here.left));
        return line.length ? line[0].bar : head;
      };
      const to = { ArrowRight: head + 1, ArrowLeft: head - 1, ArrowDown: rows(1), ArrowUp: rows(-1), Home: least(), End: most() }[event.key];
      if (to !== undefined) {
        if (!event.shiftKey) anchor = held(range ? to : head);
        if (range) reach(to);
        else reach(head);
        focus(head);
      } else if (event.key === "Enter") seek(startOf(head));
      else if (event.key === " ") toggle();
      else if (event.key === "Escape" && range) choose(null);
      else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
        [anchor, head] = [least(), most()];
        choose([anchor, head]);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });

    // The cursor glides from note to note of a line.
    function point(seconds) {
      now = seconds;
      let place = places.length - 1;
      while (place > 0 && places[place].seconds > seconds) place -= 1;
      const here = places[place];
      if (!here) return;
      const next = places[place + 1];
      const box = boxes[here.bar];
      const end = next && boxes[next.bar].row === box.row ? next.x : box.right;
      const share = next ? Math.max(0, Math.min(1, (seconds - here.seconds) / (next.seconds - here.seconds || 1))) : 0;
      cursor.hidden = false;
      cursor.style.transform = `translate(${here.x + (end - here.x) * share}px, ${box.top}px)`;
      cursor.style.height = `${box.bottom - box.top}px`;
      if (sounding !== here.items) {
        for (const item of sounding) item.classList.remove("sounding");
        for (const item of here.items) item.classList.add("sounding");
        sounding = here.items;
      }
      if (box.row !== row) {
        row = box.row;
        reveal(here.bar);
      }
    }
    function rest() {
      now = -1;
      cursor.hidden = true;
      for (const item of sounding) item.classList.remove("sounding");
      sounding = [];
    }

    new ResizeObserver(layout).observe(page);
    return {
      node, show, mark, point, rest,
      choose: (next) => {
        if (next) [anchor, head] = next.map((number) => held(placeOf(number)));
        choose(next && [anchor, head], false);
      },
      reveal: (number) => reveal(placeOf(number)),
    };
  };
})();
