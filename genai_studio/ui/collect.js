// Runs in the browser when a control of a form changes: gathers what the form shows for the browser's own store.
(...values) => {
  const names = /*NAMES*/ [];
  return Object.fromEntries(names.map((name, place) => [name, values[place]]));
}
