/** Options of a URL whose values are secrets: by name, or because they may hold one. */
const SECRET_OPTION =
  /([?&](?:authMechanismProperties|[\w.%-]*(?:passw|secret|token|api_?key)[\w.%-]*)=)[^&\s"'<>]*/gi;

/** Strikes out the values of secret options wherever a URL may have carried them into a text. */
export function withoutSecretOptions(text: string): string {
  return text.replace(SECRET_OPTION, '$1***');
}
