/* Passkeys: data-passkey-add makes one, data-passkey-sign-in signs in with one. Both ask `data-options` what the
   browser needs, let it ask its owner, and give its answer to `data-done`; sentences come with the page. */
(() => {
  "use strict";

  const toBytes = (text) => {
    const plain = text.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
  };

  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const post = async (url, body) => {
    const answer = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content,
      },
      body: JSON.stringify(body),
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.sentence || "");
    return said;
  };

  const described = (credential) => {
    const answer = credential.response;
    const response = { clientDataJSON: toText(answer.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (answer[part]) response[part] = toText(answer[part]);
    }
    if (answer.getTransports) response.transports = answer.getTransports();
    return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response };
  };

  const add = async (part) => {
    const options = await post(part.dataset.options, {});
    options.challenge = toBytes(options.challenge);
    options.user.id = toBytes(options.user.id);
    for (const known of options.excludeCredentials || []) known.id = toBytes(known.id);
    const made = await navigator.credentials.create({ publicKey: options });
    const name = part.querySelector("input").value;
    return post(part.dataset.done, { name, credential: described(made) });
  };

  const signIn = async (part) => {
    const options = await post(part.dataset.options, {});
    options.challenge = toBytes(options.challenge);
    for (const known of options.allowCredentials || []) known.id = toBytes(known.id);
    const used = await navigator.credentials.get({ publicKey: options });
    return post(part.dataset.done, { next: part.dataset.next, credential: described(used) });
  };

  const bring = (part, act) => {
    const button = part.querySelector("[data-passkey-go]");
    const says = part.querySelector("[data-passkey-says]");
    const say = (sentence) => {
      says.textContent = sentence;
      says.hidden = !sentence;
    };
    if (!window.PublicKeyCredential) {
      button.disabled = true;
      if (part.dataset.missing) say(part.dataset.missing);
      return;
    }
    part.hidden = false;
    button.addEventListener("click", async () => {
      say("");
      button.setAttribute("aria-busy", "true");
      try {
        const { location } = await act(part);
        window.location.assign(location);
      } catch (error) {
        // A refusal of the browser itself is a DOMException in its own words: ours are shown instead.
        say((!(error instanceof DOMException) && error.message) || part.dataset.failed);
        button.removeAttribute("aria-busy");
      }
    });
  };

  for (const part of document.querySelectorAll("[data-passkey-add]")) bring(part, add);
  for (const part of document.querySelectorAll("[data-passkey-sign-in]")) bring(part, signIn);
})();
