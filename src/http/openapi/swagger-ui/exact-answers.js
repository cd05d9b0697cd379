/* A plugin for Swagger UI, also for the one that has an image of its own (deploy/swagger-ui). */

// Swagger UI reads answers with JSON.parse, which rounds integers above 2^53, and amounts may be that big. So JSON is laid
// out here, digits untouched, and then shown as text. Browsers without `rawJSON` show it as it came.
globalThis.exactAnswers = ({ React }) => ({
  wrapComponents: {
    responseBody: (Original) => (properties) => {
      const { content, contentType } = properties;
      if (typeof content !== "string" || !/^application\/json\b/.test(contentType ?? "")) {
        return React.createElement(Original, properties);
      }
      return React.createElement(Original, { ...properties, content: layOut(content), contentType: "text/plain" });
    },
  },
});

function layOut(text) {
  if (JSON.rawJSON === undefined) return text;
  try {
    const exact = (_key, value, { source }) => (typeof value === "number" ? JSON.rawJSON(source) : value);
    return JSON.stringify(JSON.parse(text, exact), undefined, 2);
  } catch {
    return text;
  }
}
