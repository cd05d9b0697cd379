/* Starts Swagger UI in the page. */
const base = "/debtors/.docs";

globalThis
  .SwaggerUIBundle({
    url: `${base}/openapi.json`,
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    plugins: [globalThis.exactAnswers],
    oauth2RedirectUrl: `${location.origin}${base}/swagger-ui/oauth2-redirect.html`,
  })
  .initOAuth({ clientId: "swagger-ui", scopes: "access", usePkceWithAuthorizationCodeGrant: true });
