'use strict';
// The form without waiting: a record is a snapshot, taken before the next form is shown, so that keys typed while it is saved go into the
// next one. Nothing is kept in the browser: what is typed is a draft of the agent within a second.

(() => {
  const form = document.getElementById('form'), say = document.getElementById('status'), said = document.getElementById('findings');
  const words = form.dataset, page = words.page, json = {Accept: 'application/json', 'X-Next': '1'};
  const $ = name => form.querySelector(`[name="${name}"]`);
  const combos = new Map(), versions = new Map(), lists = new Map();
  const idle = 600; // milliseconds without a key after which a refused record comes back
  let way = null; // what is known of the person's crossing: known.js
  let spares = JSON.parse(words.spares), queue = [], returned = [], drafting = Promise.resolve(), before = {}, asked = '', latest = '', pumping = false, lastKey = 0, timer = 0;
  const id = () => $('record_id').value;
  versions.set(id(), Number(words.version));

  // Lists.
  const arrival = () => $('arrival_id') ? $('arrival_id').value : '';
  function fetched(list) {
    if (!lists.has(list)) lists.set(list, fetch(`/choices/${list}?arrival_id=${arrival()}`, {headers: json}).then(r => r.json())
      .then(all => all.map(c => choiceOf(c.code, document.documentElement.lang === 'en' ? c.en : c.es, c.keys, c.likely))).catch(() => null));
    return lists.get(list);
  }
  for (const select of form.querySelectorAll('select[data-list]')) {
    const input = document.createElement('input');
    for (const name of ['id', 'name', 'aria-invalid', 'aria-describedby']) if (select.getAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    input.autocomplete = 'off'; input.spellcheck = false;
    const choices = [...select.options].filter(o => o.value).map(o => choiceOf(o.value, o.text, o.dataset.keys.split(' '), 'likely' in o.dataset));
    const value = select.value;
    select.replaceWith(input);
    const combo = new Combo(input, select.dataset.list, choices);
    combo.choices = choices; combo.value = value;
    combos.set(input, combo);
  }
  for (const input of form.querySelectorAll('input[data-find]')) combos.set(input, new Combo(input, input.dataset.find, fetched(input.dataset.find)));
  for (const group of form.querySelectorAll('fieldset[data-many]')) {
    const boxes = [...group.querySelectorAll('input')], input = document.createElement('input');
    input.id = 'f-' + group.dataset.many; input.autocomplete = 'off'; input.setAttribute('aria-label', group.querySelector('legend').textContent);
    group.querySelector('legend').after(input);
    const combo = new Combo(input, '', boxes.map(b => choiceOf(b.value, b.parentNode.textContent.trim(), b.dataset.keys.split(' '), false)));
    combo.take = choice => { const box = boxes.find(b => b.value === choice.code); box.checked = !box.checked; input.value = ''; combo.close(); touched(); };
    combo.many = true;
    combos.set(input, combo);
  }

  // Fields.
  const seen = e => e.checkVisibility() && !e.disabled && e.type !== 'hidden' && e.type !== 'checkbox';
  const fields = () => [...form.querySelectorAll('input, select')].filter(seen);
  function answers() {
    const out = {};
    for (const e of form.querySelectorAll('input[name], select[name]')) {
      if (e.type === 'checkbox' && !e.checked) continue;
      const value = combos.has(e) ? combos.get(e).value : e.value.trim();
      if (value) (out[e.name] ||= []).push(value);
    }
    return out;
  }
  const brought = ['record_id', 'revision', 'arrival_id', 'folio', 'confirm', 'document_check'];
  const empty = () => Object.keys(answers()).every(name => brought.includes(name));
  function fill(all) {
    for (const e of form.querySelectorAll('input[name], select[name]')) {
      const values = all[e.name] || [];
      const value = values[0] || '', combo = combos.get(e);
      if (e.type === 'checkbox') e.checked = values.includes(e.value);
      else if (combo) { if (value || e.value) combo.value = value; }
      else if (e.value !== value) e.value = value;
      if (e.hasAttribute('aria-invalid')) e.removeAttribute('aria-invalid');
    }
    for (const out of form.querySelectorAll('output')) if (out.textContent) out.textContent = '';
    const slip = document.getElementById('slip');
    if (slip) slip.textContent = all.folio?.[0] ? words.slip + all.folio[0] : '';
    for (const mark of form.querySelectorAll('.field .fault')) mark.remove();
  }
  function first() { [...form.querySelectorAll('input, select')].find(seen)?.focus(); }

  // minted is a form for which the agent has given no slip yet: it gets one before it is sent. Its id is a UUID of version 7 (RFC 9562).
  const slipless = new Set();
  function minted() {
    const bytes = crypto.getRandomValues(new Uint8Array(16)), now = Date.now();
    for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (40 - 8 * i)) % 256;
    bytes[6] = bytes[6] & 0x0f | 0x70; bytes[8] = bytes[8] & 0x3f | 0x80;
    const hex = [...bytes].map(b => b.toString(16).padStart(2, '0')).join('');
    const record_id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
    slipless.add(record_id);
    return {record_id, folio: ''};
  }

  // next shows an empty form, with an id that no other form has.
  function next() {
    const spare = spares.shift() || minted();
    fill({record_id: [spare.record_id], folio: spare.folio ? [spare.folio] : [], arrival_id: arrival() ? [arrival()] : []});
    form.querySelector('details').open = false;
    versions.set(spare.record_id, 0);
    way?.begin();
    first();
  }

  function save(confirm) {
    combos.get(document.activeElement)?.settle();
    for (const [e, combo] of combos) if (combo.open()) {
      e.setAttribute('aria-invalid', 'true');
      said.replaceChildren(line('fault', words.choose));
      const more = e.closest('details'); if (more) more.open = true;
      e.focus();
      return;
    }
    if (empty() && !answers().void_reason) { first(); return; }
    const all = answers();
    if (confirm) all.confirm = [confirm];
    clearTimeout(timer);
    before = all; asked = '';
    queue.push(all);
    delete say.dataset.asked; delete say.dataset.saved;
    said.replaceChildren(); say.textContent = words.saving;
    document.getElementById('confirm')?.remove();
    pump(); // the request leaves before the page is changed
    next();
  }

  async function pump() {
    if (pumping) return;
    pumping = true;
    let held = false; // a record waits for the agent or for its disk, and the page says so
    while (queue.length) {
      const all = queue[0];
      if (slipless.delete(all.record_id[0]) && spares.length && spares[0].folio && !all.folio) all.folio = [spares.shift().folio];
      let status = 0, answer = {};
      try {
        const response = await fetch('/' + page, {method: 'POST', headers: {...json, 'Content-Type': 'application/json'}, body: JSON.stringify(all)});
        status = response.status; answer = await response.json();
      } catch { /* the agent is away: the record stays in the queue */ }
      if (status === 0 || status === 401 || status === 507) {
        say.textContent = ''; said.replaceChildren(line('fault', answer.text || words.lost));
        if (status === 401) keepDraft(all);
        held = true;
        await new Promise(done => setTimeout(done, 1000));
        continue;
      }
      queue.shift();
      if (held) { said.replaceChildren(); held = false; }
      if (status === 200 || status === 201) kept(all, answer); else refused(all, answer);
    }
    pumping = false;
  }
  function kept(all, answer) {
    if (answer.next) spares.push(answer.next);
    latest = `/${page}?record_id=${answer.record_id}`;
    if (answer.go) { location.assign(answer.go); return; }
    if (!queue.length) { say.textContent = words.guardado; say.dataset.saved = answer.record_id; }
    if (page === 'assistance') { location.assign('/list?saved=' + answer.record_id); return; }
    beside();
  }
  function refused(all, answer) {
    returned.push({all, answer});
    say.textContent = '';
    said.replaceChildren(...(answer.faults || answer.doubts || [answer]).map(f => line('doubts' in answer ? 'doubt' : 'fault', f.text)), line('fault', words.waits));
    keepDraft(all);
  }
  // A refused record comes back when the form is empty and no key was pressed for a while: what is being typed is another person.
  setInterval(() => {
    if (!returned.length || asked || !empty() || Date.now() - lastKey < idle) return;
    const {all, answer} = returned.shift();
    spares.unshift({record_id: id(), folio: $('folio') ? $('folio').value : ''});
    fill(all);
    const findings = answer.faults || answer.doubts || [answer];
    said.replaceChildren(...findings.map(f => line('doubts' in answer ? 'doubt' : 'fault', f.text)));
    for (const f of findings) $(f.field)?.setAttribute('aria-invalid', 'true');
    if (answer.doubts) ask(all, answer.doubts);
    else { const e = findings[0].field && $(findings[0].field); const more = e?.closest('details'); if (more) more.open = true; if (e) e.focus(); else first(); }
  }, 100);
  function ask(all, doubts) {
    asked = [...(all.confirm || []), ...doubts.map(d => d.code)].join(' ');
    const button = document.createElement('button');
    button.id = 'confirm'; button.type = 'button'; button.textContent = document.documentElement.lang === 'en' ? 'Yes, it is right' : 'Sí, es correcto';
    button.addEventListener('click', () => save(asked));
    document.getElementById('save').before(button);
    say.dataset.asked = doubts[0].code;
    button.focus();
  }
  function line(kind, text) { const p = document.createElement('p'); p.className = kind; p.textContent = text; return p; }

  // The last ten records are those of the page as the agent makes it.
  async function beside() {
    try {
      const text = await (await fetch('/recent')).text();
      const other = new DOMParser().parseFromString(text, 'text/html').getElementById('recent');
      if (other) document.getElementById('recent').replaceChildren(...other.children);
      showUnsent();
    } catch { /* what stands there stays */ }
  }

  // Drafts.
  function touched() { clearTimeout(timer); timer = setTimeout(() => keepDraft(answers()), 400); }
  const keepDraft = all => drafting = drafting.then(() => putDraft(all)); // one at a time: each bears the version of the one before
  async function putDraft(all) {
    const record = all.record_id[0];
    if (versions.get(record) < 0) return;
    try {
      const response = await fetch('/draft', {method: 'POST', headers: {...json, 'Content-Type': 'application/json'},
        body: JSON.stringify({id: record, version: versions.get(record) || 0, page, fields: all})});
      const answer = await response.json();
      if (response.ok) versions.set(record, answer.version);
      else if (answer.error === 'draft_changed') { versions.set(record, -1); said.replaceChildren(line('fault', words.elsewhere)); say.dataset.asked = 'draft_changed'; }
    } catch { /* the next key tries again */ }
  }

  // Keys.
  function onward(e) {
    const all = fields(), at = all.indexOf(e), skip = e.dataset.or && e.value.trim() ? e.dataset.or : '';
    const rest = all.slice(at + 1).filter(f => (!skip || f.name !== skip) && !way?.knows(f.name));
    if (at < 0) return;
    if (rest.length) rest[0].focus(); else save();
  }
  form.addEventListener('keydown', event => {
    lastKey = Date.now();
    const e = event.target;
    if (event.key === 'Enter' && event.ctrlKey) { event.preventDefault(); save(asked && say.dataset.asked ? asked : ''); }
    else if (event.key === 'Enter' && (e.tagName === 'INPUT' || e.tagName === 'SELECT')) {
      event.preventDefault();
      const combo = combos.get(e);
      if (combo && combo.many && e.value.trim()) { combo.settle(); return; }
      if (combo) combo.settle();
      if (combo && combo.open()) { e.setAttribute('aria-invalid', 'true'); said.replaceChildren(line('fault', words.choose)); return; }
      onward(e);
    } else if (event.key === 'F4') {
      event.preventDefault();
      const values = before[e.name];
      if (values) { if (combos.has(e)) combos.get(e).value = values[0]; else e.value = values[0]; touched(); }
    }
  });
  document.addEventListener('keydown', event => {
    if (event.key !== 'F2') return;
    event.preventDefault();
    openLast();
  });
  // openLast opens the record that was saved last; one that is on its way is waited for.
  function openLast() {
    const address = latest || document.querySelector('#recent a')?.href;
    if (queue.length) setTimeout(openLast, 20); else if (address) keepAndGo(address);
  }
  async function keepAndGo(address) {
    clearTimeout(timer);
    if (!empty()) await keepDraft(answers());
    location.assign(address);
  }
  form.addEventListener('submit', event => {
    if (event.submitter?.id === 'discard') return;
    event.preventDefault();
    save(event.submitter?.id === 'confirm' ? event.submitter.value : '');
  });
  form.addEventListener('input', event => {
    if (asked && event.target.id !== 'confirm') { asked = ''; delete say.dataset.asked; document.getElementById('confirm')?.remove(); }
    delete say.dataset.saved;
    if (event.target.name === 'document_number') without(event.target);
    touched();
  });
  form.addEventListener('change', event => { if ('date' in event.target.dataset) readBack(event.target); touched(); });
  form.addEventListener('focusin', event => { if (combos.has(event.target)) event.target.select(); });
  form.addEventListener('focusout', event => { if (event.target.name === 'document_number') without(event.target); });
  document.getElementById('arrival')?.addEventListener('change', event => keepAndGo(`/${page}?arrival_id=${event.target.value}`));

  // Who shows no document carries none, unless the clerk says otherwise.
  function without(number) {
    const check = $('document_check'), combo = check && combos.get(check);
    if (!combo || !arrival()) return;
    if (!number.value.trim() && !combo.value) combo.value = 'none_carried';
    else if (number.value.trim() && combo.value === 'none_carried') combo.value = '';
  }
  async function readBack(input) {
    const out = document.getElementById('r-' + input.name), text = input.value.trim();
    out.textContent = '';
    if (!text) return;
    try {
      const response = await fetch('/read', {method: 'POST', headers: {...json, 'Content-Type': 'application/json'}, body: JSON.stringify({birth_date: text, arrival_id: arrival()})});
      if (input.value.trim() === text) out.textContent = (await response.json()).text;
    } catch { /* nothing is read back */ }
  }

  // What waits to be sent.
  async function showUnsent() {
    try {
      const s = await (await fetch('/state')).json();
      const text = s.unsent ? `${words.unsent}: ${s.unsent}, ${words.since} ${new Date(s.oldest_unsent).toLocaleTimeString('es-HN', {timeZone: 'America/Tegucigalpa', hour: '2-digit', minute: '2-digit'})}` : words.sent;
      document.getElementById('line').textContent = `${words.source}: ${[s.stopped, s.exchange_stopped, text].filter(Boolean).join(' ')}`;
    } catch { /* the agent is away; a save says so */ }
  }
  setInterval(showUnsent, 10000);

  if ($('crossing_id')) way = new Way({form, $, id, combos, onward, touched, json, fetched: list => { lists.delete(list); return fetched(list); }});

  const wrong = document.getElementById('confirm') || form.querySelector('[aria-invalid=true]');
  if (document.getElementById('confirm')) asked = document.getElementById('confirm').value;
  if (wrong) wrong.focus(); else first();
})();
