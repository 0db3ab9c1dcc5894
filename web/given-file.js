// A place that takes a file: chosen, dropped, or pasted as text.

/**
 * @param {HTMLElement} area  where it may be dropped
 * @param {HTMLInputElement} chooser
 * @param {HTMLTextAreaElement} pasted
 * @param {(bytes: Uint8Array, name: string) => void} take  the name is empty for a text
 * @param {number} limit  in bytes; a larger file is handed over cut, so that it is refused for what it is
 */
export function takeFile(area, chooser, pasted, take, limit) {
  const read = async (file) => {
    if (file) take(new Uint8Array(await file.slice(0, limit + 1).arrayBuffer()), file.name);
  };
  chooser.addEventListener('change', async () => {
    await read(chooser.files[0]);
    // So that the same file can be chosen again after it has changed.
    chooser.value = '';
  });
  pasted.addEventListener('input', () => take(new TextEncoder().encode(pasted.value), ''));
  area.addEventListener('dragover', (event) => {
    event.preventDefault();
    area.dataset.over = '';
  });
  area.addEventListener('dragleave', () => delete area.dataset.over);
  area.addEventListener('drop', (event) => {
    event.preventDefault();
    delete area.dataset.over;
    const text = event.dataTransfer.getData('text/plain');
    if (event.dataTransfer.files.length > 0) read(event.dataTransfer.files[0]);
    else if (text !== '') take(new TextEncoder().encode(text), '');
  });
}
