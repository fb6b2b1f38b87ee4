// Photos can be dropped on the label of a file field; everything else works without scripts.
document.addEventListener("dragover", (event) => {
  const label = event.target.closest && event.target.closest(".drop");
  event.preventDefault();
  document.querySelectorAll(".drop.over").forEach((other) => other.classList.remove("over"));
  if (label) label.classList.add("over");
});
document.addEventListener("drop", (event) => {
  const label = event.target.closest && event.target.closest(".drop");
  event.preventDefault();
  if (!label) return;
  label.classList.remove("over");
  label.querySelector("input").files = event.dataTransfer.files;
});
