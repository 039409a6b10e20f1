// One recording: the player, and its files to download.
const { say, url, make, icon } = window.studio;
const host = element.querySelector(".sound");
const NAMES = { midi: "MIDI", musicxml: "MusicXML" };
let player = null;
let shown = "";

function draw() {
  const sound = props.value || {};
  const key = sound.url ? `${sound.url} ${(sound.roles || []).join()}` : "";
  if (key === shown) return;
  shown = key;
  if (player) player.close();
  player = null;
  host.hidden = !sound.url;
  host.replaceChildren();
  if (!sound.url) return;
  player = createPlayer(sound, { bars: window.matchMedia("(max-width: 560px)").matches ? 56 : 128 });
  const files = [["", say("Download")], ...(sound.roles || []).map((role) => [role, NAMES[role] || role])];
  host.append(player.node, make("div", { class: "downloads" }, ...files.map(([role, name]) => (
    make("a", { href: `${url(sound.url)}${role ? `/${role}` : ""}?download=1`, download: true }, icon("download"), name)
  ))));
}

draw();
watch("value", draw);
