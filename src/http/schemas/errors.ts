/** The body of every answer of 400 and above. Spec: http-api, "Errors". */
import { Int32, OpenObject, Optional, PlainText, schemaOf } from "./fields.ts";

export const ErrorBody = OpenObject(
  {
    code: Int32({ description: "The status code.", examples: [422] }),
    status: PlainText({ description: "The reason phrase.", examples: ["Unprocessable Entity"] }),
    message: Optional(PlainText({ description: "What is wrong, for human readers." })),
    errors: Optional(
      OpenObject(
        {
          json: schemaOf<unknown>({
            description:
              "Follows the nesting of the request object, with the texts at each wrong field; `_schema` stands for the object itself.",
            examples: [{ recipient: { uri: ["Must be an account of this debtor."] } }],
          }),
        },
        { description: "All wrong fields." },
      ),
    ),
  },
  { title: "Error", description: "What went wrong." },
);
