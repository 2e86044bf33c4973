//! A document of a megabyte, in the manner of a management API, takes seconds.

use std::fmt::Write as _;

use suprsend_codegen::{Settings, Source, generate};

const OPERATIONS: usize = 420;

/// Pages like upstream's: two servers, two credentials, habits of 3.0 in a 3.1 document, and examples.
fn text() -> String {
    let mut text = String::from(
        "openapi: 3.1.1\n\
         info: {title: Large, version: 1.2.2}\n\
         servers: [{url: https://hub.example.com}]\n\
         security: [{BearerAuth: []}]\n\
         components:\n  \
           securitySchemes:\n    \
             BearerAuth: {type: http, scheme: bearer}\n    \
             ServiceTokenAuth: {type: apiKey, in: header, name: 'X-Service-Token'}\n  \
           schemas:\n    \
             Error: {type: object, properties: {code: {type: integer}, message: {type: string, nullable: true}}}\n\
         paths:\n",
    );
    for number in 0..OPERATIONS {
        let _ = write!(
            text,
            "  /v1/{{workspace}}/thing{number}/{{slug}}/:
    {method}:
      operationId: change-thing-{number}
      description: Changes thing {number}. See https://docs.example.com/things/{number} for <all> of it.
      servers: [{{url: https://management.example.com}}]
      security: [{{ServiceTokenAuth: []}}]
      parameters:
        - {{name: workspace, in: path, required: true, schema: {{type: string, required: true}}}}
        - {{name: slug, in: path, required: true, schema: {{type: string, maxLength: 255}}}}
        - {{name: limit, in: query, schema: {{type: integer, default: '20', maximum: 100}}}}
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [name, rules]
              properties:
                name: {{type: string, description: The name of thing {number}}}
                enabled: {{type: boolean, nullable: true, default: 'false'}}
                at: {{type: string, format: date-time, nullable: true, example: 2024-01-01T00:00:00Z}}
                tags: {{type: array, items: {{type: string}}, examples: {{one: {{value: [a, b]}}}}}}
                empty: {{type: object, properties: }}
                rules:
                  type: array
                  items:
                    type: object
                    required: [operator]
                    properties:
                      operator: {{type: string, enum: ['==', '!=', '<', '<=', '>', '>=']}}
                      value: {{oneOf: [{{type: string}}, {{type: number}}, {{type: array, items: {{type: string}}}}]}}
                      nested: {{type: object, properties: {{field{number}: {{type: string}}, depth: {{type: integer}}}}}}
            examples:
              usual: {{value: {{name: n, rules: [{{operator: '==', value: 1}}], at: 2024-01-01T00:00:00Z}}}}
      responses:
        '200':
          description: Changed
          content:
            application/json:
              schema:
                type: object
                properties:
                  meta: {{type: object, properties: {{count: {{type: integer}}, limit: {{type: integer}}, offset: {{type: integer}}}}}}
                  results:
                    type: array
                    items:
                      type: object
                      properties:
                        id: {{type: string}}
                        kind{number}: {{type: string, enum: [draft, live], nullable: true}}
                        owner: {{type: object, nullable: true, properties: {{email: {{type: string}}, name: {{type: string}}}}}}
        '202': {{description: Taken, content: {{application/json: {{}}}}}}
        '400': {{description: Bad, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Error'}}}}}}}}
        '404': {{description: Missing, content: {{application/json: {{schema: {{type: object, properties: {{message: {{type: string}}}}}}}}}}}}
",
            method = ["post", "put", "patch"][number % 3],
        );
    }
    text
}

#[test]
fn a_megabyte_is_generated_whole() {
    let text = text();
    assert!(text.len() > 1_000_000, "{} bytes", text.len());
    let document = Source::new("large", text).parse().unwrap();
    let generated = generate(&document, &Settings::default()).unwrap();
    assert_eq!(generated.rust.matches("impl Operation for ChangeThing").count(), OPERATIONS);
}
