// A strip of what was made lately in this room; a click shows it again.
const { say, url, make } = window.studio;
const strip = element.querySelector(".strip");
const title = element.querySelector("h3");

function draw() {
  const items = (props.value || {}).items || [];
  element.firstElementChild.hidden = !items.length;
  title.textContent = say("Made lately");
  strip.classList.toggle("wide", items.some((item) => item.kind === "audio"));
  strip.replaceChildren(...items.map((item) => make("button", {
    type: "button", title: item.prompt, "aria-label": say("Show: {prompt}", { prompt: item.prompt }),
    on: { click: () => trigger("show", { record: item.id }) },
  }, make("img", { src: url(item.thumbnail), alt: "", loading: "lazy", decoding: "async" }))));
}

draw();
watch("value", draw);
