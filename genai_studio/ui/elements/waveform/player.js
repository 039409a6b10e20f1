// An audio player: play button, waveform that is also the slider, and the time. The waveform is drawn from peaks that
// came with the record, so nothing is decoded and nothing is loaded before the first play.
// Tells the page its time with "studio:time" {src, seconds, playing}; jumps on "studio:seek" {src, seconds}, and starts or
// stops on one with `toggle`.
const createPlayer = (() => {
  const { say, url, make, icon } = window.studio;
  const SVG = "http://www.w3.org/2000/svg";

  function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds || 0));
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  // `count` bars from -1 to 1 in a box of width `count`; the loudest fills the height.
  function outline(peaks, count) {
    const loudest = Math.max(...peaks, 1e-6);
    const lines = [];
    for (let bar = 0; bar < count; bar += 1) {
      const first = Math.floor((bar * peaks.length) / count);
      const end = Math.max(first + 1, Math.floor(((bar + 1) * peaks.length) / count));
      const level = Math.max(0.03, Math.max(...peaks.slice(first, end), 0) / loudest) * 0.94;
      lines.push(`M${bar + 0.5} ${-level}V${level}`);
    }
    return lines.join("");
  }

  function wave(path, count, name) {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", `0 -1 ${count} 2`);
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.setAttribute("class", name);
    drawing.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", path);
    drawing.append(line);
    return drawing;
  }

  // `sound` is {url, peaks, duration, title}; `bars` how many to draw; without `seek` the waveform only shows the time.
  // Returns {node, audio, seek, toggle, close}.
  return function create(sound, { bars = 96, seek: seekable = true } = {}) {
    const address = url(sound.url);
    const audio = make("audio", { preload: "none" });
    const peaks = sound.peaks && sound.peaks.length ? sound.peaks : [0];
    const path = outline(peaks, bars);
    const played = wave(path, bars, "played");
    const button = make("button", { class: "play", type: "button" });
    const role = seekable ? { role: "slider", tabindex: "0", "aria-label": say("Position"), "aria-valuemin": "0" } : { "aria-hidden": "true" };
    const slider = make("div", { class: "wave", ...role }, wave(path, bars, "rest"), played);
    const time = make("span", { class: "time" });
    const node = make("div", { class: "player", role: "group", "aria-label": sound.title || say("Recording") }, button, slider, time);
    const length = () => (Number.isFinite(audio.duration) && audio.duration) || sound.duration || 0;

    function draw() {
      const share = length() ? Math.min(1, audio.currentTime / length()) : 0;
      played.style.clipPath = `inset(0 ${100 - 100 * share}% 0 0)`;
      const now = `${clock(audio.currentTime)} / ${clock(length())}`;
      time.textContent = now;
      if (!seekable) return;
      slider.setAttribute("aria-valuemax", String(Math.round(length())));
      slider.setAttribute("aria-valuenow", String(Math.round(audio.currentTime)));
      slider.setAttribute("aria-valuetext", now);
    }
    function drawButton() {
      button.replaceChildren(icon(audio.paused ? "play" : "pause"));
      button.setAttribute("aria-label", audio.paused ? say("Play") : say("Pause"));
      node.classList.toggle("playing", !audio.paused);
    }
    function tell() {
      document.dispatchEvent(new CustomEvent("studio:time", { detail: { src: sound.url, seconds: audio.currentTime, playing: !audio.paused } }));
    }
    function tick() {
      draw();
      tell();
      if (!audio.paused) requestAnimationFrame(tick);
    }
    function seek(seconds) {
      if (!audio.src) audio.src = address;
      audio.currentTime = Math.max(0, Math.min(seconds, length()));
      draw();
      tell();
    }
    function toggle() {
      if (!audio.src) audio.src = address;
      if (audio.paused) audio.play().catch(() => { time.textContent = say("This sound cannot be played."); });
      else audio.pause();
    }
    function at(event) {
      const box = slider.getBoundingClientRect();
      return ((event.clientX - box.left) / box.width) * length();
    }

    button.addEventListener("click", toggle);
    if (seekable) slider.addEventListener("pointerdown", (event) => { slider.setPointerCapture(event.pointerId); seek(at(event)); });
    slider.addEventListener("pointermove", (event) => { if (slider.hasPointerCapture(event.pointerId)) seek(at(event)); });
    slider.addEventListener("keydown", (event) => {
      const to = {
        ArrowRight: audio.currentTime + 2, ArrowLeft: audio.currentTime - 2, PageUp: audio.currentTime + 10,
        PageDown: audio.currentTime - 10, Home: 0, End: length(),
      }[event.key];
      if (to !== undefined) seek(to);
      else if (event.key === " " || event.key === "Enter") toggle();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    audio.addEventListener("play", () => {
      // One sound at a time on the whole page.
      document.dispatchEvent(new CustomEvent("studio:play", { detail: audio }));
      drawButton();
      tick();
    });
    audio.addEventListener("pause", () => { drawButton(); tell(); });
    audio.addEventListener("ended", () => { audio.currentTime = 0; draw(); tell(); });
    audio.addEventListener("durationchange", draw);
    const others = (event) => { if (event.detail !== audio) audio.pause(); };
    const jump = ({ detail }) => {
      if (detail.src !== sound.url) return;
      if (typeof detail.seconds === "number") seek(detail.seconds);
      if (detail.toggle) toggle();
    };
    document.addEventListener("studio:play", others);
    document.addEventListener("studio:seek", jump);

    function close() {
      audio.pause();
      audio.removeAttribute("src");
      document.removeEventListener("studio:play", others);
      document.removeEventListener("studio:seek", jump);
    }
    drawButton();
    draw();
    return { node, audio, seek, toggle, close };
  };
})();
