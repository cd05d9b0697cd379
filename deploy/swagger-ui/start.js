// Shows the API's document, with the addresses of this installation. They come as data, in a file that start.sh writes.
const [api, configuration] = await Promise.all(
  ["openapi.json", "configuration.json"].map(async (file) => (await fetch(file)).json()),
);
if (configuration.apiRoot !== "") api.servers = [{ url: configuration.apiRoot }];
for (const scheme of Object.values(api.components.securitySchemes)) {
  for (const flow of Object.values(scheme.flows ?? {})) {
    if ("authorizationUrl" in flow && configuration.authorizationUrl !== "") {
      flow.authorizationUrl = configuration.authorizationUrl;
    }
    if (configuration.tokenUrl !== "") flow.tokenUrl = configuration.tokenUrl;
    if (configuration.refreshUrl !== "") flow.refreshUrl = configuration.refreshUrl;
  }
}
globalThis
  .SwaggerUIBundle({
    spec: api,
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    plugins: [globalThis.exactAnswers],
    oauth2RedirectUrl: configuration.redirectUrl || new URL("oauth2-redirect.html", window.location.href).href,
  })
  .initOAuth({ clientId: "swagger-ui", scopes: "access", usePkceWithAuthorizationCodeGrant: true });

export {}; // A module, so that it may await.
