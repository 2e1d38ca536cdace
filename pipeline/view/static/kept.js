/** What this browser remembers of the page: a theme, an order. Where it may not, the page works without. */

export function kept(name, otherwise) {
  try {
    return localStorage.getItem(`dinostream.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`dinostream.${name}`, value);
  } catch {
    // Storage may be forbidden or full; then the choice lasts as long as the page.
  }
}
