// A tune of one's own: a file, dropped or chosen, or what the microphone hears; then what to do with it.
const { say, make, icon } = window.studio;
const [root, opener, hum, chooser, brought, note] = [".bring", ".open", ".hum", ".file", ".brought", ".note"].map((name) => element.querySelector(name));
const LONGEST = 120;
const RATE = 22050;
let recording = null;
let sound = "";

opener.append(icon("upload"), say("Bring a tune"));
opener.title = say("MIDI, MusicXML, ABC or a recording; you can also drop it here.");
chooser.accept = ((props.value || {}).endings || []).join();

function tell(text, bad = false) {
  note.textContent = text;
  note.className = bad ? "note bad" : "note";
}

async function take(file) {
  if (!file) return;
  const { largest, endings = [] } = props.value || {};
  if (!endings.some((ending) => file.name.toLowerCase().endsWith(ending))) return tell(say("This is not music that can be read: allowed are MIDI, MusicXML, ABC, WAV, FLAC, OGG and MP3."), true);
  if (largest && file.size > largest) return tell(say("This file is too large: allowed are {size} MB.", { size: Math.round(largest / 1e6) }), true);
  tell(say("Reading {name} …", { name: file.name }));
  try {
    const { path } = await upload(file);
    if (sound) URL.revokeObjectURL(sound);
    sound = file.type.startsWith("audio/") && !/midi?$/.test(file.type) ? URL.createObjectURL(file) : "";
    trigger("brought", { path, name: file.name });
    tell("");
  } catch {
    tell(say("The file did not arrive. Try again."), true);
  }
}
opener.addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => { take(chooser.files[0]); chooser.value = ""; });

// Anywhere in the room a tune can be dropped.
const room = element.closest(".room") || element;
const carries = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
room.addEventListener("dragover", (event) => { if (carries(event)) { event.preventDefault(); root.classList.add("over"); } });
room.addEventListener("dragleave", (event) => { if (!room.contains(event.relatedTarget)) root.classList.remove("over"); });
room.addEventListener("drop", (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  root.classList.remove("over");
  take(event.dataTransfer.files[0]);
});

// The microphone. What is sent is a WAV of one channel at the rate that the transcriber hears.
async function startRecording() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: true } });
  } catch {
    return tell(say("The microphone cannot be used: allow it in the browser, or bring a recording as a file."), true);
  }
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  const began = performance.now();
  const clock = setInterval(() => {
    const seconds = Math.floor((performance.now() - began) / 1000);
    drawHum(seconds);
    if (seconds >= LONGEST) recorder.stop();
  }, 250);
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  recorder.addEventListener("stop", async () => {
    clearInterval(clock);
    for (const track of stream.getTracks()) track.stop();
    recording = null;
    drawHum();
    try {
      const heard = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await new Blob(pieces).arrayBuffer());
      take(new File([wav(heard.getChannelData(0))], `${say("Recording")}.wav`, { type: "audio/wav" }));
    } catch {
      tell(say("Nothing was recorded. Try again."), true);
    }
  });
  recording = recorder;
  recorder.start();
  drawHum(0);
  tell(say("Hum, sing or play one melody, then press Stop."));
}
function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, RATE, 4], [28, 2 * RATE, 4], [32, 2, 2], [34, 16, 2], [40, 2 * samples.length, 4]].forEach(([at, amount, bytes]) => (bytes === 4 ? view.setUint32(at, amount, true) : view.setUint16(at, amount, true)));
  text(36, "data");
  samples.forEach((sample, place) => view.setInt16(44 + 2 * place, Math.max(-1, Math.min(1, sample)) * 32767, true));
  return view.buffer;
}
function drawHum(seconds) {
  hum.classList.toggle("recording", seconds !== undefined);
  hum.replaceChildren(icon(seconds === undefined ? "mic" : "stop"), seconds === undefined ? say("Hum or play") : say("Stop, {time}", { time: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` }));
}
hum.addEventListener("click", () => {
  if (recording) recording.stop();
  else if (navigator.mediaDevices && window.MediaRecorder) startRecording();
  else tell(say("This browser gives no microphone to this page: bring a recording as a file."), true);
});

function draw() {
  const { asset = "", name = "" } = props.value || {};
  brought.hidden = !asset;
  if (!asset) return;
  const use = (action, label, explained, main) => make("button", { class: main ? "main" : "", type: "button", title: explained, text: label, on: { click: () => trigger("use", { action, asset }) } });
  brought.replaceChildren(
    make("div", { class: "what" }, icon("music"), make("span", { class: "name", text: name, title: name }), make("button", { class: "forget", type: "button", "aria-label": say("Put it away"), title: say("Put it away"), on: { click: () => trigger("forget", {}) } }, icon("close"))),
    ...(sound ? [make("audio", { src: sound, controls: true, "aria-label": name })] : []),
    make("div", { class: "next" },
      use("arrange", say("Arrange it"), say("Keeps the tune; chords and players follow the prompt and the form."), true),
      use("harmonise", say("Harmonise it"), say("The tune with chords on a piano."), false),
      use("continue", say("Continue it"), say("The tune and eight new bars."), false)),
    make("p", { class: "note", text: say("Then choose bars on the score to repaint.") }),
  );
}
drawHum();
draw();
watch("value", draw);
