/* Starts Swagger UI in the page. */
const base = "/debtors/.docs";

const ui = globalThis.SwaggerUIBundle({
  url: `${base}/openapi.json`,
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  plugins: [globalThis.exactAnswers],
  oauth2RedirectUrl: `${location.origin}${base}/swagger-ui/oauth2-redirect.html`,
  onComplete() {
    const { securitySchemes } = ui.specSelectors.specJson().toJS().components;
    const { clientId, scope, resource } = securitySchemes.oauth2AuthorizationCode["x-swagger-ui"];
    ui.initOAuth({
      clientId,
      scopes: scope,
      usePkceWithAuthorizationCodeGrant: true,
      ...(resource !== undefined && { additionalQueryStringParams: { resource } }),
    });
  },
});
