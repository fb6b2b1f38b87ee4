// Keys for the suspects; every decision can also be made with the buttons, and without scripts.
(() => {
  const rows = () => [...document.querySelectorAll(".suspect")];
  const current = () => document.activeElement.closest(".suspect");
  const focus = (row) => {
    row.focus({preventScroll: true});
    row.scrollIntoView({block: "nearest"});
  };
  const step = (by) => {
    const all = rows(), at = all.indexOf(current());
    const next = at < 0 ? all.find((row) => row.matches(".open")) || all[0] : all[at + by];
    if (next) focus(next);
  };
  const afterDecision = (row) => {
    const all = rows();
    const later = all.slice(all.indexOf(row) + 1).find((other) => other.matches(".open"));
    const next = later || all.find((other) => other.matches(".open"));
    if (next) focus(next);
    else (document.getElementById("next") || row).focus();
  };
  const actions = {k: "keep", d: "drop", m: "move", s: "split", g: "merge"};

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const row = current(), field = event.target.matches("input, textarea, select");
    if (field) {
      if (event.key === "Escape" && row) focus(row);
      return;
    }
    const key = event.key.toLowerCase();
    if (key === "arrowdown" || (row && key === "n")) step(1);
    else if (key === "arrowup" || (row && key === "p")) step(-1);
    else if (row && key === "u") document.querySelector("#progress .undo button")?.click();
    else if (row && key === "t") row.querySelector("input[name=target]")?.select();
    else if (row && key in actions) {
      if (!row.matches(".sending")) row.querySelector(`button[value=${actions[key]}]`)?.click();
    } else return;
    event.preventDefault();
  });

  let sent = null;
  document.addEventListener("submit", (event) => {
    const row = event.target.closest(".suspect");
    if (!row) return;
    sent = row.id;
    row.classList.add("sending");
  });
  document.addEventListener("htmx:after:swap", () => {
    const row = sent && document.getElementById(sent);
    sent = null;
    if (!row) return;
    if (row.matches(".open") || row.querySelector(".error")) focus(row);
    else afterDecision(row);
  });
  document.addEventListener("htmx:error", () => rows().forEach((row) => row.classList.remove("sending")));

  const place = document.getElementById(location.hash.slice(1));
  if (place && place.matches(".suspect")) focus(place);
  else if (location.hash === "#first") step(1); // no element has this id, so the browser leaves the focus alone
})();
