// Notes over time on a canvas, drawn as they arrive. The cursor follows the recording that `value.src` names, and a
// click jumps there. `createRoll()` returns {node, show, close}; `show` takes the value that element.py describes.
const createRoll = (() => {
  const { say, make } = window.studio;
  const BLACK = new Set([1, 3, 6, 8, 10]);
  const WIDEST = 12000;
  const FADE_MS = 500;
  const KEYS = 34;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const note = (item) => (Array.isArray(item) ? item : [item.part, item.pitch, item.start, item.duration, item.velocity ?? 80]);
  const isBlack = (pitch) => BLACK.has(((pitch % 12) + 12) % 12);

  // Pixels a quarter and a semitone. At least two octaves, so that few notes are no slabs.
  function measure(notes, total, width, height) {
    let low = 127;
    let high = 0;
    let end = Math.max(total, 4);
    for (const [, pitch, start, duration] of notes) {
      low = Math.min(low, pitch);
      high = Math.max(high, pitch);
      end = Math.max(end, start + duration);
    }
    if (!notes.length) [low, high] = [54, 78];
    const spare = Math.max(2, Math.ceil((24 - (high - low)) / 2));
    [low, high] = [low - spare, high + spare];
    const wide = Math.max(width, Math.min(WIDEST, end * 14));
    return { quarter: wide / end, row: height / (high - low + 1), low, high, end, width: wide, height };
  }

  function prepare(target, width, height) {
    const dense = Math.min(window.devicePixelRatio || 1, 2);
    target.width = Math.round(width * dense);
    target.height = Math.round(height * dense);
    target.style.width = `${width}px`;
    const pen = target.getContext("2d");
    pen.scale(dense, dense);
    return pen;
  }

  function drawGrid(pen, scale, ink, perBar) {
    pen.fillStyle = ink("--wash");
    for (let pitch = scale.low; pitch <= scale.high; pitch += 1) {
      if (isBlack(pitch)) pen.fillRect(0, (scale.high - pitch) * scale.row, scale.width, scale.row);
    }
    pen.fillStyle = ink("--line");
    for (let beat = 1; beat <= scale.end; beat += 1) {
      const bar = beat % perBar === 0;
      if (!bar && scale.quarter < 18) continue;
      pen.globalAlpha = bar ? 1 : 0.45;
      pen.fillRect(Math.round(beat * scale.quarter), 0, 1, scale.height);
    }
    pen.globalAlpha = 1;
  }

  // True while a note is still fading in.
  function drawNotes(pen, scale, notes, colours, ageOf) {
    let moving = false;
    for (const item of notes) {
      const [part, pitch, start, duration, velocity] = item;
      const age = ageOf(item);
      if (age < 1) moving = true;
      const height = Math.max(3, scale.row - 1);
      pen.globalAlpha = (0.5 + 0.5 * Math.min(1, velocity / 110)) * (0.2 + 0.8 * age);
      pen.fillStyle = colours[part % 8];
      pen.beginPath();
      const y = (scale.high - pitch) * scale.row + (scale.row - height) / 2;
      pen.roundRect(start * scale.quarter + 0.75, y, Math.max(3, duration * scale.quarter - 1.5), height, Math.min(3, height / 2));
      pen.fill();
    }
    pen.globalAlpha = 1;
    return moving;
  }

  function drawKeys(pen, scale, ink) {
    for (let pitch = scale.low; pitch <= scale.high; pitch += 1) {
      const y = (scale.high - pitch) * scale.row;
      if (isBlack(pitch)) {
        pen.fillStyle = ink("--ink-soft");
        pen.fillRect(0, y + scale.row * 0.08, KEYS * 0.58, scale.row * 0.84);
      } else if (pitch % 12 === 0 || pitch % 12 === 5) {
        pen.fillStyle = ink("--line");
        pen.fillRect(0, y + scale.row - 0.5, KEYS, 1);
      }
      if (pitch % 12 === 0) {
        pen.fillStyle = ink("--ink-soft");
        pen.font = "9.5px ui-sans-serif, sans-serif";
        pen.textAlign = "right";
        pen.fillText(`C${pitch / 12 - 1}`, KEYS - 3, y + scale.row - 1.5);
      }
    }
  }

  return function create() {
    const legend = make("figcaption", { class: "legend" });
    const keys = make("canvas", { class: "keys", "aria-hidden": "true" });
    const canvas = make("canvas", { class: "notes", role: "img" });
    const cursor = make("div", { class: "cursor", hidden: true });
    const pan = make("div", { class: "pan" }, canvas, cursor);
    const node = make("figure", { class: "roll", hidden: true }, make("div", { class: "frame" }, keys, pan), legend);
    const arrived = new Map();
    let value = {};
    let notes = [];
    let scale = null;
    let frame = 0;

    function paint() {
      cancelAnimationFrame(frame);
      node.hidden = !notes.length && !value.total_quarters;
      if (node.hidden || !pan.clientWidth) return;
      const style = getComputedStyle(node);
      const ink = (name) => style.getPropertyValue(name).trim();
      const colours = Array.from({ length: 8 }, (_, part) => ink(`--part-${part}`));
      scale = measure(notes, value.total_quarters || 0, pan.clientWidth, pan.clientHeight);
      drawKeys(prepare(keys, KEYS, scale.height), scale, ink);
      legend.replaceChildren(...(value.parts || []).map((name, part) => {
        const chip = make("i");
        chip.style.background = colours[part % 8];
        return make("span", {}, chip, say(name));
      }));
      const parts = new Set(notes.map((item) => item[0])).size;
      canvas.setAttribute("aria-label", say("Piano roll: {notes} notes in {parts} parts", { notes: notes.length, parts }));
      const step = (now) => {
        const pen = prepare(canvas, scale.width, scale.height);
        drawGrid(pen, scale, ink, value.beats_per_bar || 4);
        const ageOf = (item) => (calm ? 1 : Math.min(1, Math.max(0, now - (arrived.get(item.join()) ?? -FADE_MS)) / FADE_MS));
        if (drawNotes(pen, scale, notes, colours, ageOf)) frame = requestAnimationFrame(step);
      };
      step(performance.now());
    }

    function point(quarters) {
      if (!scale) return;
      cursor.hidden = false;
      const x = quarters * scale.quarter;
      cursor.style.transform = `translateX(${x}px)`;
      if (x < pan.scrollLeft || x > pan.scrollLeft + pan.clientWidth - 24) pan.scrollLeft = x - 48;
    }

    function show(next) {
      value = next || {};
      notes = (value.notes || []).map(note);
      if (!notes.length) { arrived.clear(); cursor.hidden = true; }
      const now = performance.now();
      let newest = 0;
      for (const item of notes) {
        const name = item.join();
        if (arrived.has(name)) continue;
        // What is complete when it is first seen stands still; only what is being written appears note by note.
        arrived.set(name, value.src ? -FADE_MS : now);
        newest = Math.max(newest, item[2] + item[3]);
      }
      paint();
      if (typeof value.position === "number") point(value.position);
      else if (newest && scale && !value.src) pan.scrollLeft = newest * scale.quarter - pan.clientWidth + 24;
    }

    // `clock` is [[quarters, seconds], ...] where the tempo bends; without it, the tempo is one.
    function read(column, amount) {
      const clock = value.clock || [];
      if (clock.length < 2) return column === 0 ? (amount * 60) / value.tempo : (amount * value.tempo) / 60;
      let place = 1;
      while (place < clock.length - 1 && clock[place][column] < amount) place += 1;
      const [from, to] = [clock[place - 1], clock[place]];
      return from[1 - column] + ((amount - from[column]) / (to[column] - from[column])) * (to[1 - column] - from[1 - column]);
    }
    const onTime = ({ detail }) => {
      if (!value.src || detail.src !== value.src || !value.tempo) return;
      if (detail.playing || detail.seconds > 0) point(read(1, detail.seconds));
      else cursor.hidden = true;
    };
    canvas.addEventListener("click", (event) => {
      if (!value.src || !value.tempo || !scale) return;
      const quarters = (event.clientX - canvas.getBoundingClientRect().left) / scale.quarter;
      document.dispatchEvent(new CustomEvent("studio:seek", { detail: { src: value.src, seconds: read(0, quarters) } }));
    });
    const onTheme = () => requestAnimationFrame(paint);
    document.addEventListener("studio:time", onTime);
    window.addEventListener("studio:theme", onTheme);
    const resized = new ResizeObserver(paint);
    resized.observe(pan);

    function close() {
      cancelAnimationFrame(frame);
      resized.disconnect();
      document.removeEventListener("studio:time", onTime);
      window.removeEventListener("studio:theme", onTheme);
    }
    return { node, show, close };
  };
})();
