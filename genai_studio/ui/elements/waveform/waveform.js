// One recording: its player, its parts, and what it can be taken away as. A recording of the same piece that comes in
// its place goes on where the other was, so that two takes can be compared by ear.
const host = element.querySelector(".sound");
let open = null;
let shown = "";

function draw() {
  const sound = props.value || {};
  const key = sound.url ? JSON.stringify([sound.url, sound.roles, sound.formats, sound.parts, sound.stems]) : "";
  if (key === shown) return;
  shown = key;
  const before = open;
  const seconds = before && before.piece && before.piece === sound.piece ? before.player.audio.currentTime : 0;
  const playing = Boolean(before) && !before.player.audio.paused;
  open = null;
  if (before) for (const part of [before.player, before.mixer, before.exports]) part?.close();
  host.hidden = !sound.url;
  host.replaceChildren();
  if (!sound.url) return;
  const player = createPlayer(sound, { bars: window.matchMedia("(max-width: 560px)").matches ? 56 : 128 });
  const mixer = (sound.stems || []).length > 1 ? createMixer(player.audio, sound) : null;
  const exports = createExports(sound);
  open = { player, mixer, exports, piece: sound.piece };
  host.append(player.node, ...(mixer ? [mixer.node] : []), exports.node);
  if (seconds > 0 && seconds < (sound.duration || 0)) player.seek(seconds);
  if (seconds > 0 && playing) player.toggle();
}
draw();
watch("value", draw);
