// Dialogs: data-opens="ID" opens, data-closes and a touch beside the dialog close.
document.addEventListener("click", (event) => {
  const opens = event.target.closest?.("[data-opens]");
  if (opens) document.getElementById(opens.dataset.opens)?.showModal();
  const closes = event.target.closest?.("[data-closes]");
  if (closes) closes.closest("dialog")?.close();
  if (event.target.matches?.("dialog.dialog")) {
    const box = event.target.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    // A key press on a button has no place: 0, 0.
    if (!inside && event.detail > 0) event.target.close();
  }
});
