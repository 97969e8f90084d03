// Shows the captcha of another provider in its place, and puts the answer into the form. reCAPTCHA, hCaptcha and
// Turnstile are used alike; hCaptcha calls itself grecaptcha as well.
(() => {
  const place = document.querySelector('[data-captcha]');
  const script = document.querySelector('script[data-captcha-script]');
  const form = place?.closest('form');
  const answer = form?.querySelector('input[data-captcha-answer]');
  if (!script || !answer) return;
  const interactive = place.dataset.interactive === 'true';
  let provider = null;
  let widget;
  // The form waits for the answer.
  let sending = place.dataset.sends === 'true';

  const blocked = () => {
    document.querySelector('[data-captcha-blocked]').hidden = false;
  };
  const execute = () => {
    // Turnstile begins by itself.
    if (!interactive && provider !== window.turnstile) provider.execute(widget);
  };
  const show = () => {
    widget = provider.render(place, {
      sitekey: place.dataset.captcha,
      ...(interactive || provider === window.turnstile ? {} : { size: 'invisible' }),
      hl: place.dataset.language,
      callback(token) {
        answer.value = token;
        if (sending) form.requestSubmit();
      },
      'expired-callback'() {
        answer.value = '';
      },
      'error-callback': blocked,
    });
    if (sending) execute();
  };

  script.addEventListener('error', blocked);
  script.addEventListener('load', () => {
    provider = window.turnstile ?? window.hcaptcha ?? window.grecaptcha ?? null;
    if (provider === null) blocked();
    else if (provider === window.grecaptcha && provider.ready) provider.ready(show);
    else show();
  });

  form.addEventListener('submit', (event) => {
    // What is sent without an answer is told so by the server.
    if (answer.value || interactive || widget === undefined) return;
    event.preventDefault();
    // The form is not busy yet.
    event.stopPropagation();
    sending = true;
    execute();
  });
  // An answer is good once: back from the next page there is a new one.
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    answer.value = '';
    if (widget !== undefined) provider.reset(widget);
  });
})();
