// The notes of the piece that is being written, or was.
const roll = createRoll();
element.querySelector(".piece").append(roll.node);
roll.show(props.value);
watch("value", () => roll.show(props.value));
