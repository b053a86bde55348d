'use strict';
// A registration asks what the person's crossing does not answer. Way looks the person up by document or slip while that is typed, or by the
// crossing that was picked, fills in what the post told and lets the keys pass it by. What was typed stays.

class Way {
  constructor(page) {
    this.page = page; this.filled = new Set(); this.asked = '';
    document.getElementById('lookup').remove(); // it is looked up while it is typed
    this.input = page.$('crossing_id'); this.combo = page.combos.get(this.input); this.note = document.getElementById('known');
    page.form.addEventListener('input', event => {
      if (event.target.name !== 'document_number') return;
      const length = fold(event.target.value).length;
      if (length >= 11) this.byDocument(); else this.forget();
    });
    page.form.addEventListener('focusout', event => { if (event.target.name === 'document_number' && event.target.value.trim()) this.byDocument(); });
    page.form.addEventListener('change', event => { if (event.target === this.input && this.combo.code) this.look({crossing_id: this.combo.code}); });
    this.list();
    if (this.input.value) this.look({crossing_id: this.input.value});
  }
  knows(name) { return this.filled.has(name); }
  // begin is a new form.
  begin() { this.filled.clear(); this.asked = this.note.textContent = ''; this.list(); }
  // list is asked for with each form: people come, and others are registered. Without people the field is not shown.
  async list() {
    const all = await this.page.fetched('crossing');
    this.combo.choices = all;
    const field = this.input.closest('.field');
    field.hidden = Boolean(all) && !all.length && !this.input.value;
    if (field.hidden && document.activeElement === this.input) this.page.onward(this.input);
  }
  byDocument() {
    const ask = {};
    for (const name of ['document_number', 'document_type', 'document_country', 'nationality']) {
      const e = this.page.$(name), combo = this.page.combos.get(e);
      if (e && !this.filled.has(name) && e.value.trim()) ask[name] = combo ? combo.value : e.value.trim();
    }
    this.look(ask);
  }
  async look(ask) {
    const record = this.page.id(), text = JSON.stringify(ask);
    if (text === this.asked) return;
    this.asked = text;
    let answer;
    try {
      const response = await fetch('/known', {method: 'POST', headers: {...this.page.json, 'Content-Type': 'application/json'}, body: text});
      if (!response.ok) return;
      answer = await response.json();
    } catch { return; /* the agent is away: all is asked */ }
    if (this.page.id() !== record || this.asked !== text) return;
    if (!answer.found) { this.forget(); if (!this.combo.code) this.note.textContent = answer.text; this.asked = text; return; }
    for (const [name, value] of Object.entries(answer.fields)) this.fill(name, value, answer.text);
    this.note.textContent = answer.text;
    this.page.touched();
    if (this.filled.has(document.activeElement.name)) this.page.onward(document.activeElement);
  }
  fill(name, value, text) {
    const e = this.page.$(name), combo = this.page.combos.get(e);
    const own = name === 'crossing_id' && combo.code === value;
    if (!e || e.value.trim() && !own && !this.filled.has(name)) return;
    if (!combo) e.value = value; else combo.value = value;
    if (name === 'crossing_id') { combo.code = value; e.value = text; }
    this.filled.add(name);
    if (name === 'age') this.filled.add('birth_date');
  }
  // forget takes back what a document that is no longer there had filled in.
  forget() {
    for (const name of this.filled) {
      const e = this.page.$(name), combo = this.page.combos.get(e);
      if (name === 'birth_date') continue;
      if (combo) combo.value = ''; else e.value = '';
    }
    this.filled.clear(); this.asked = this.note.textContent = '';
  }
}
