// Passkeys, and small comforts where authenticators are set up. Loaded by the pages that show one of these.
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, '-')
      .replace(/\//g, '_')
      .replace(/=+$/, '');
  const known = (list = []) => list.map((one) => ({ ...one, id: bytes(one.id) }));

  /** The server's JSON as the browser wants it, and what comes of it as JSON (not every browser has parse…FromJSON). */
  const ceremony = async (kind, json, more = {}) => {
    const publicKey = { ...json, challenge: bytes(json.challenge) };
    if (json.user) publicKey.user = { ...json.user, id: bytes(json.user.id) };
    if (json.excludeCredentials) publicKey.excludeCredentials = known(json.excludeCredentials);
    if (json.allowCredentials) publicKey.allowCredentials = known(json.allowCredentials);
    const made = await navigator.credentials[kind]({ publicKey, ...more });
    const { response } = made;
    const parts = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'];
    const sent = Object.fromEntries(parts.flatMap((name) => (response[name] ? [[name, text(response[name])]] : [])));
    if (response.getTransports) sent.transports = response.getTransports();
    const { id, type } = made;
    return JSON.stringify({ id, rawId: id, type, response: sent, clientExtensionResults: {} });
  };

  let waiting = new AbortController();
  for (const button of window.PublicKeyCredential ? document.querySelectorAll('button[data-passkey]') : []) {
    const { form } = button;
    const { passkey: kind, field, options } = button.dataset;
    const json = JSON.parse(options);
    const failed = document.getElementById(button.getAttribute('aria-describedby'));
    const send = (credential) => {
      form.elements[field].value = credential;
      // The other fields are a way of their own.
      form.noValidate = true;
      form.requestSubmit();
    };
    button.hidden = false;
    button.addEventListener('click', async () => {
      waiting.abort();
      waiting = new AbortController();
      button.disabled = true;
      try {
        send(await ceremony(kind, json));
      } catch {
        button.disabled = false;
        failed.hidden = false;
      }
    });
    // Passkeys stand among what the browser offers for the name, until a button is pressed.
    if (!('autofill' in button.dataset)) continue;
    PublicKeyCredential.isConditionalMediationAvailable?.()
      .then((can) => can && ceremony(kind, json, { mediation: 'conditional', signal: waiting.signal }).then(send))
      .catch(() => {});
  }

  for (const button of document.querySelectorAll('button[data-copies]')) {
    button.hidden = !navigator.clipboard;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(button.dataset.copies);
      button.textContent = button.dataset.copied;
    });
  }
  for (const button of document.querySelectorAll('button[data-prints]')) {
    button.hidden = false;
    button.addEventListener('click', () => print());
  }
})();
