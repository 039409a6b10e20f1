// The parts of a piece, each with mute, solo and volume. The stems are loaded at the first touch and then sound in step
// in place of the mix, which stays the clock. `createMixer(audio, {parts, stems, duration})` returns {node, close}.
const createMixer = (() => {
  const { say, make, url } = window.studio;
  const LONG = 120;
  const DRIFT = 0.12;

  async function fetched(address) {
    const response = await fetch(url(address));
    if (response.ok) return response.arrayBuffer();
    const told = await response.json().catch(() => ({}));
    throw new Error(told.detail || say("The parts could not be loaded. Try again."));
  }

  return function create(audio, { parts, stems, duration }) {
    const status = make("p", { class: "mixing", role: "status" });
    const rows = make("div", { class: "rows" });
    const node = make("div", { class: "mixer", role: "group", "aria-label": say("Parts") }, rows, status);
    const state = parts.map(() => ({ mute: false, solo: false, volume: 100 }));
    let context = null;
    let buffers = null;
    let loading = null;
    let gains = [];
    let sources = [];
    let started = 0;
    let offset = 0;

    const untouched = () => state.every(({ mute, solo, volume }) => !mute && !solo && volume === 100);
    const active = () => Boolean(buffers) && !untouched();

    // A long piece is kept at half the rate: the parts lie unpacked in memory.
    async function load() {
      const rate = duration > LONG ? 22050 : 44100;
      const decoder = new OfflineAudioContext(2, 1, rate);
      buffers = await Promise.all(stems.map(async (address) => decoder.decodeAudioData(await fetched(address))));
    }
    function silence() {
      for (const source of sources) source.stop();
      sources = [];
    }
    function sound() {
      silence();
      if (!active() || audio.paused) return;
      offset = audio.currentTime;
      started = context.currentTime;
      sources = buffers.map((buffer, part) => {
        const source = context.createBufferSource();
        source.buffer = buffer;
        source.connect(gains[part]);
        source.start(started, Math.min(offset, buffer.duration));
        return source;
      });
    }
    function level() {
      const alone = state.some(({ solo }) => solo);
      state.forEach(({ mute, solo, volume }, part) => {
        const heard = !mute && (!alone || solo);
        gains[part]?.gain.setTargetAtTime(heard ? (volume / 100) ** 2 : 0, context.currentTime, 0.015);
      });
    }
    async function apply() {
      draw();
      if (!buffers && !untouched()) {
        context ??= new AudioContext();
        context.resume();
        status.textContent = say("Preparing the parts; this takes a moment the first time …");
        try {
          await (loading ??= load());
        } catch (error) {
          loading = null;
          status.textContent = error.message || say("The parts could not be loaded. Try again.");
          return;
        }
        status.textContent = "";
        if (!gains.length) gains = parts.map(() => { const gain = context.createGain(); gain.connect(context.destination); return gain; });
      }
      if (!buffers) return;
      level();
      const sounding = sources.length > 0;
      audio.muted = active();
      if (active() !== sounding) sound();
    }
    function draw() {
      const alone = state.some(({ solo }) => solo);
      [...rows.children].forEach((row, part) => {
        const { mute, solo, volume } = state[part];
        row.classList.toggle("silent", mute || (alone && !solo));
        row.querySelector(".mute").setAttribute("aria-pressed", String(mute));
        row.querySelector(".solo").setAttribute("aria-pressed", String(solo));
        const slider = row.querySelector("input");
        slider.value = String(volume);
        slider.setAttribute("aria-valuetext", `${volume} %`);
      });
    }
    function row(name, part) {
      const set = (change) => { Object.assign(state[part], change(state[part])); apply(); };
      const shown = say(name);
      const key = (kind, letter, label, change) => make("button", { class: kind, type: "button", text: letter, "aria-label": label, title: label, on: { click: () => set(change) } });
      return make("div", { class: "part", role: "group", "aria-label": shown },
        make("i", { class: "dot", data: { part: part % 8 } }), make("span", { class: "name", text: shown, title: shown }),
        key("mute", "M", say("Mute {part}", { part: shown }), ({ mute }) => ({ mute: !mute, solo: false })),
        key("solo", "S", say("Only {part}", { part: shown }), ({ solo }) => ({ solo: !solo, mute: false })),
        make("input", { type: "range", min: "0", max: "140", step: "5", value: "100", "aria-label": say("Volume of {part}", { part: shown }), on: { input: (event) => set(() => ({ volume: Number(event.target.value) })), dblclick: () => set(() => ({ volume: 100 })) } }));
    }
    rows.append(...parts.map(row));

    const watch = () => {
      if (!sources.length) return;
      if (Math.abs(context.currentTime - started + offset - audio.currentTime) > DRIFT) sound();
    };
    for (const event of ["playing", "seeked"]) audio.addEventListener(event, sound);
    for (const event of ["pause", "ended", "waiting"]) audio.addEventListener(event, silence);
    audio.addEventListener("timeupdate", watch);
    draw();

    function close() {
      silence();
      context?.close();
      [buffers, gains] = [null, []];
    }
    return { node, close };
  };
})();
