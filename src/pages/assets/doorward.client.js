// What needs a script on the pages. All of it is an extra: every page works without.
(() => {
  // Times are written in UTC by the server; here they become the visitor's own.
  for (const time of document.querySelectorAll('time[datetime]')) {
    const options = { dateStyle: 'medium', timeStyle: 'short' };
    time.textContent = new Date(time.dateTime).toLocaleString(document.documentElement.lang, options);
  }

  for (const button of document.querySelectorAll('button[data-reveals]')) {
    const input = document.getElementById(button.dataset.reveals);
    const show = (shown) => {
      input.type = shown ? 'text' : 'password';
      button.setAttribute('aria-pressed', String(shown));
    };
    button.hidden = false;
    button.addEventListener('click', () => show(input.type === 'password'));
    // A browser keeps what was typed into a text field; a password must not be among it.
    input.form.addEventListener('submit', () => show(false));
  }

  const busy = new Set();
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (busy.has(form)) return event.preventDefault();
    busy.add(form);
    const pressed = event.submitter ?? form.querySelector('button[type=submit]');
    // Not before the form's data is gathered: a disabled button's own value would be missing.
    setTimeout(() => {
      for (const button of form.querySelectorAll('button[type=submit]')) button.disabled = true;
      if (!pressed?.dataset.busy) return;
      pressed.dataset.label = pressed.textContent;
      pressed.textContent = pressed.dataset.busy;
    });
  });
  // Back from the next page, the browser may show this one as it was left.
  addEventListener('pageshow', () => {
    for (const form of busy) {
      for (const button of form.querySelectorAll('button[type=submit]')) {
        button.disabled = false;
        if (button.dataset.label) button.textContent = button.dataset.label;
      }
    }
    busy.clear();
  });

  // A page that waits looks whether its run moved on elsewhere. HEAD moves nothing; nobody loses what they type.
  const waiting = document.querySelector('[data-waits] input[name=step]');
  const place = (token) => token?.split('~', 2).join('~');
  const look = async () => {
    const typed = document.querySelector('[data-waits] input[name=code]')?.value;
    if (document.hidden || typed) return;
    const answer = await fetch(location.href, { method: 'HEAD' }).catch(() => null);
    if (answer?.ok && place(answer.headers.get('doorward-step')) !== place(waiting.value))
      location.replace(location.href);
  };
  if (waiting) setInterval(look, 5000);

  const onward = document.querySelector('a[data-onward]');
  if (onward) location.replace(onward.href);
})();
