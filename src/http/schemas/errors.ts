/** The body of every answer of 400 and above. Spec: http-api, "Errors". */
import { Type } from "typebox";
import { Int32, Optional } from "./fields.ts";

export const ErrorBody = Type.Object(
  {
    code: Int32({ description: "The status code.", examples: [422] }),
    status: Type.String({ description: "The reason phrase.", examples: ["Unprocessable Entity"] }),
    message: Optional(Type.String({ description: "What is wrong, for human readers." })),
    errors: Optional(
      Type.Object(
        {
          json: Type.Unknown({
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
