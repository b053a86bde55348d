'use strict';
// Lists that are chosen from by typing: what form.Match does on the agent, here before the key is shown. Only what the page shows as
// chosen is taken.

const fold = text => text.normalize('NFKD').toLowerCase().replace(/[^\p{L}\p{Nd}]/gu, '');

function foundBy(choice, key) {
  const begins = k => k.startsWith(key);
  if (choice.keys[0] === key || choice.keys[1] === key) return 0;
  if (begins(choice.keys[0]) || begins(choice.keys[1])) return 1;
  if (choice.words.some(begins)) return 2;
  return choice.keys.slice(2).some(begins) ? 3 : 4;
}

function match(choices, typed, list) {
  const key = fold(typed), ranked = [[], [], [], [], [], [], [], []];
  if (!key) return {found: [], sure: false};
  for (const choice of choices) {
    const by = foundBy(choice, key);
    if (by < 4) ranked[by && !choice.likely ? by + 4 : by].push(choice);
  }
  let found = ranked.flat();
  const place = /^[1-9]$/.test(key) ? choices[key - 1] : null;
  if (!found.length && place && choices.length < 10) found = [place];
  return {found, sure: found.length > 0 && !(list === 'sex' && key === 'm')};
}

function choiceOf(code, label, keys, likely) {
  const words = [];
  for (let i = 0; i < label.length; i++) if (' ('.includes(label[i])) words.push(fold(label.slice(i + 1)));
  return {code, label, keys, words, likely};
}

// Combo is one such field. input is its text, choices a list or a promise of one.
class Combo {
  constructor(input, list, choices) {
    this.input = input; this.list = list; this.choices = null; this.code = ''; this.found = []; this.at = -1;
    Promise.resolve(choices).then(all => this.loaded(all));
    this.box = document.createElement('ul');
    this.box.className = 'options'; this.box.id = input.id + '-list'; this.box.hidden = true; this.box.setAttribute('role', 'listbox');
    this.box.setAttribute('aria-label', input.id.slice(2));
    input.parentNode.append(this.box);
    for (const [name, value] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-expanded', 'false'], ['aria-controls', this.box.id]]) input.setAttribute(name, value);
    input.addEventListener('input', () => this.typed());
    input.addEventListener('blur', () => this.settle());
    input.addEventListener('keydown', event => this.key(event));
    this.box.addEventListener('mousedown', event => {
      const item = event.target.closest('li');
      if (item) { event.preventDefault(); this.take(this.found[Number(item.dataset.at)]); }
    });
  }
  // loaded catches up with what was typed before the list was there.
  loaded(all) {
    this.choices = all;
    if (!all || !this.input.value || this.code) return;
    if (!this.early) { this.value = this.input.value; return; }
    this.typed();
    if (this.input !== document.activeElement) this.settle();
  }
  typed() {
    this.early = !this.choices; this.code = ''; this.input.removeAttribute('aria-invalid');
    const m = this.choices ? match(this.choices, this.input.value, this.list) : {found: [], sure: false};
    this.found = m.found.slice(0, 8); this.at = m.sure ? 0 : -1;
    this.show();
  }
  show() {
    this.box.replaceChildren(...this.found.map((choice, i) => {
      const item = document.createElement('li');
      item.id = this.box.id + i; item.dataset.at = i; item.setAttribute('role', 'option'); item.setAttribute('aria-selected', String(i === this.at));
      item.textContent = choice.label;
      return item;
    }));
    this.box.hidden = !this.found.length;
    this.input.setAttribute('aria-expanded', String(!this.box.hidden));
    if (this.at >= 0) this.input.setAttribute('aria-activedescendant', this.box.id + this.at); else this.input.removeAttribute('aria-activedescendant');
  }
  key(event) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (this.box.hidden && this.choices) { this.found = this.choices.slice(0, 8); this.at = -1; }
      if (this.found.length) this.at = (this.at + (event.key === 'ArrowDown' ? 1 : this.found.length + (this.at < 0 ? 0 : -1))) % this.found.length;
      this.show();
    } else if (event.key === 'Escape' && !this.box.hidden) { event.preventDefault(); event.stopPropagation(); this.close(); }
  }
  close() { this.found = []; this.at = -1; if (!this.box.hidden) this.show(); }
  take(choice) { this.code = choice.code; this.input.value = choice.label; this.close(); this.input.dispatchEvent(new Event('change', {bubbles: true})); }
  // settle takes what is shown as chosen; a text that nothing is chosen for stays, and is no answer.
  settle() {
    if (!this.box.hidden && this.at >= 0) this.take(this.found[this.at]);
    else if (this.input.value && !this.code && this.choices) {
      const whole = this.whole(this.input.value);
      if (whole) this.take(whole); else this.close();
    } else this.close();
  }
  // whole is the choice that a text names in full.
  whole(text) { return text ? (this.choices || []).find(c => c.code === text || c.keys[0] === fold(text) || c.keys[1] === fold(text)) : null; }
  // open reports whether something was typed and nothing is chosen.
  open() { return Boolean(this.input.value.trim()) && !this.code && Boolean(this.choices); }
  get value() { return this.code || this.input.value.trim(); }
  set value(text) {
    this.close(); this.code = ''; this.input.value = text;
    const whole = this.whole(text);
    if (whole) { this.code = whole.code; this.input.value = whole.label; }
    else if (this.list === 'crossing' && /^[0-9a-f-]{36}$/.test(text)) this.code = text; // one that is registered already is in no list
  }
}
