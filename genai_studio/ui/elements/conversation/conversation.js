// A conversation as it is written. Every word is set as text; of Markdown only what a small model writes is drawn.
const { say, make, icon } = window.studio;
const turns = element.querySelector(".turns");
const status = element.querySelector(".status");
let drawn = [];
let editing = -1;

const act = (action, more = {}) => trigger("act", { action, ...more });

// **bold**, *slanted* and `code` inside a line.
function inline(text) {
  return text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*|\*[^*\s][^*\n]*\*)/).filter(Boolean).map((part) => {
    if (/^`[^`]+`$/.test(part)) return make("code", { text: part.slice(1, -1) });
    if (/^\*\*[^*]+\*\*$/.test(part)) return make("strong", { text: part.slice(2, -2) });
    if (/^\*[^*]+\*$/.test(part)) return make("em", { text: part.slice(1, -1) });
    return document.createTextNode(part);
  });
}

// Paragraphs, headings, lists and fenced code.
function prose(text) {
  const blocks = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    if (/^\s*```/.test(line)) {
      const code = [];
      for (at += 1; at < lines.length && !/^\s*```/.test(lines[at]); at += 1) code.push(lines[at]);
      at += 1;
      blocks.push(make("pre", {}, make("code", { text: code.join("\n") })));
    } else if (/^#{1,6} /.test(line)) {
      blocks.push(make("h4", {}, ...inline(line.replace(/^#+ /, ""))));
      at += 1;
    } else if (/^\s*([-*]|\d+[.)]) /.test(line)) {
      const kind = /^\s*\d/.test(line) ? "ol" : "ul";
      const list = make(kind, kind === "ol" ? { start: parseInt(line, 10) || 1 } : {});
      for (; at < lines.length && /^\s*([-*]|\d+[.)]) /.test(lines[at]); at += 1) list.append(make("li", {}, ...inline(lines[at].replace(/^\s*([-*]|\d+[.)]) /, ""))));
      blocks.push(list);
    } else if (!line.trim()) at += 1;
    else {
      const piece = [];
      for (; at < lines.length && lines[at].trim() && !/^(\s*```|#{1,6} |\s*([-*]|\d+[.)]) )/.test(lines[at]); at += 1) piece.push(lines[at]);
      blocks.push(make("p", {}, ...inline(piece.join("\n"))));
    }
  }
  return blocks.length ? blocks : [make("p", { text: "" })];
}

function tool(name, label, action) {
  return make("button", { class: "tool", type: "button", title: label, "aria-label": label, on: { click: action } }, icon(name), make("span", { text: label }));
}

function editor(message, place) {
  const box = make("textarea", { "aria-label": say("Edit this message"), dir: "auto" });
  box.value = message.content;
  const done = () => { editing = -1; act("edit", { place, text: box.value }); drawAll(); };
  const leave = () => { editing = -1; drawAll(); };
  box.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) done();
    if (event.key === "Escape") leave();
  });
  setTimeout(() => box.focus());
  return make("div", { class: "editor" }, box, make("div", {},
    make("button", { class: "tool", type: "button", text: say("Cancel"), on: { click: leave } }),
    make("button", { class: "tool", type: "button", text: message.role === "user" ? say("Send again") : say("Keep this"), on: { click: done } })));
}

function turn(message, place, final, live) {
  const node = make("article", { class: `turn ${message.role}` + (live ? " live" : ""), "aria-label": message.role === "user" ? say("You") : say("Answer") });
  if (editing === place) {
    node.append(editor(message, place));
    return node;
  }
  const words = make("div", { class: "words", dir: "auto" });
  if (message.role === "user") words.textContent = message.content;
  else words.append(...prose(message.content));
  node.append(words);
  if (live) return node;
  const tools = make("div", { class: "tools", role: "toolbar", "aria-label": say("What to do with this message") },
    tool("copy", say("Copy"), () => navigator.clipboard?.writeText(message.content)),
    tool("edit", say("Edit"), () => { editing = place; drawAll(); }));
  if (final && message.role === "assistant") {
    tools.append(tool("again", say("Another answer"), () => act("regenerate")), tool("right", say("Continue"), () => act("continue")));
  } else if (final) tools.append(tool("again", say("Answer this"), () => act("regenerate")));
  node.append(tools);
  return node;
}

const key = (message, place, final, live) => [message.role, message.content, place, final, live, editing === place].join("\u0000");

function draw() {
  const view = props.value || {};
  const messages = view.messages || [];
  const near = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 160;
  if (!messages.length) {
    turns.replaceChildren(make("p", { class: "empty" }, make("b", { text: say("Say something") }), say("Ask a question or start a story. The answer appears word by word.")));
    drawn = [];
  } else {
    if (!drawn.length) turns.replaceChildren();
    const next = messages.map((message, place) => key(message, place, place === messages.length - 1, Boolean(view.live) && place === messages.length - 1));
    for (let place = 0; place < messages.length; place += 1) {
      if (drawn[place] === next[place]) continue;
      const final = place === messages.length - 1;
      const node = turn(messages[place], place, final, Boolean(view.live) && final);
      if (turns.children[place]) turns.children[place].replaceWith(node);
      else turns.append(node);
    }
    while (turns.children.length > messages.length) turns.lastChild.remove();
    drawn = next;
  }
  if (status.textContent !== (view.status || "")) status.textContent = view.status || "";
  status.classList.toggle("bad", view.state === "failed" || view.state === "interrupted");
  if (view.live && near && element.offsetParent) window.scrollTo({ top: document.documentElement.scrollHeight });
}
function drawAll() {
  drawn = [];
  draw();
}

draw();
watch("value", draw);
