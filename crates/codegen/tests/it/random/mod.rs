//! Random documents, the same for the same seed: legal ones with everything that is hard to name and to type.

mod generator;
#[allow(dead_code, reason = "not every test needs them")]
pub(crate) mod unions;

pub(crate) use generator::Random;
use serde_json::{Map, Value, json};

const NAMES: [&str; 33] = [
    "id",
    "name",
    "value",
    "type",
    "self",
    "fn",
    "$set",
    "a.b",
    "2fa",
    "user-name",
    "userName",
    "created_at",
    "Default",
    "default",
    "extra",
    "builder",
    "Option",
    "none",
    "größe",
    "x",
    "X",
    "body",
    "query",
    "items",
    "is active?",
    "a/b",
    "_",
    "Result",
    "encodePath",
    "m²",
    "½",
    "request",
    "<<",
];

const COMPONENTS: [&str; 12] =
    ["User", "user", "Ok", "Error", "a.b", "Map", "User-List", "2nd", "Vec", "Self", "Page", "UserName"];

/// A whole document.
pub(crate) fn document(seed: u64) -> Value {
    let mut random = Random::new(seed);
    let count = 2 + random.below(COMPONENTS.len() - 2);
    let components = &COMPONENTS[..count];
    let schemas: Map<String, Value> =
        components.iter().map(|name| ((*name).to_owned(), schema(&mut random, components, 4))).collect();
    let mut paths = Map::new();
    let mut shared = Map::new();
    for number in 0..=random.below(5) {
        let (path, mut item) = path_item(&mut random, components, number);
        if random.once_in(4) {
            let name = format!("Item{number}");
            let (_, beside) = path_item(&mut random, components, number + 100);
            shared.insert(name.clone(), item);
            item = json!({"$ref": format!("#/components/pathItems/{name}")});
            for method in ["patch", "get"].into_iter().take(random.below(3)) {
                item[method] = beside["get"].clone();
            }
        }
        paths.insert(path, item);
    }
    json!({
        "openapi": random.pick(&["3.1.0", "3.0.3"]),
        "info": {"title": format!("Random document {seed}"), "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas, "pathItems": shared},
    })
}

fn path_item(random: &mut Random, components: &[&str], number: usize) -> (String, Value) {
    let mut path = format!("/thing{number}");
    let mut parameters = Vec::new();
    for _ in 0..random.below(3) {
        let name = random.pick(&NAMES);
        let role = random.pick(&["path", "query", "header", "query"]);
        if role == "path" {
            if name.contains('/') || path.contains(&format!("{{{name}}}")) {
                continue;
            }
            path.extend(["/{", name, "}"]);
        }
        let schema = if random.once_in(3) { schema(random, components, 1) } else { scalar(random) };
        let mut parameter = json!({"name": name, "in": role, "schema": schema});
        if role == "path" || random.once_in(3) {
            parameter["required"] = true.into();
        }
        parameters.push(parameter);
    }
    let mut item = json!({"parameters": parameters});
    for method in ["get", "post", "delete", "put"].into_iter().take(1 + random.below(3)) {
        let mut operation = json!({"responses": {}});
        if !random.once_in(4) {
            operation["operationId"] = format!("{method}-{}-{number}", random.pick(&NAMES)).into();
        }
        if method != "get" && random.once_in(2) {
            let media = random.pick(&[
                "application/json",
                "application/json",
                "text/plain",
                "application/octet-stream",
            ]);
            operation["requestBody"] = json!({"required": random.once_in(2), "content": {media: {"schema": schema(random, components, 3)}}});
        }
        for _ in 0..=random.below(3) {
            let status =
                random.pick(&["200", "201", "204", "2XX", "400", "404", "4XX", "5XX", "default", "302"]);
            let mut response = json!({"description": "A response"});
            if !random.once_in(4) {
                let media = random.pick(&[
                    "application/json",
                    "application/json",
                    "application/problem+json",
                    "text/html",
                ]);
                response["content"] = json!({media: {"schema": schema(random, components, 3)}});
            }
            operation["responses"][status] = response;
        }
        item[method] = operation;
    }
    (path, item)
}

fn scalar(random: &mut Random) -> Value {
    match random.below(8) {
        0 => json!({"type": "integer"}),
        1 => json!({"type": "boolean"}),
        2 => json!({"type": "number"}),
        3 => json!({"type": "string", "enum": ["a", "b"]}),
        4 => {
            json!({"type": "string", "format": random.pick(&["date-time", "date", "uuid", "ipv4", "email"])})
        }
        5 => json!({"type": "string", "minLength": 1, "pattern": "^[a-z]"}),
        _ => json!({"type": "string"}),
    }
}

/// A schema that nests at most `depth` deep.
pub(crate) fn schema(random: &mut Random, components: &[&str], depth: usize) -> Value {
    if depth == 0 {
        return scalar(random);
    }
    let inner = |random: &mut Random| schema(random, components, depth - 1);
    let mut made = match random.below(22) {
        0..=4 => object(random, components, depth),
        5 | 6 => json!({"type": "array", "items": inner(random)}),
        7 => json!({"type": "object", "additionalProperties": inner(random)}),
        8 | 9 => json!({"$ref": format!("#/components/schemas/{}", random.pick(components))}),
        10 => json!({"oneOf": list(random, components, depth)}),
        11 => json!({"anyOf": list(random, components, depth)}),
        12 => json!({"allOf": list(random, components, depth)}),
        13 => {
            json!({"type": [random.pick(&["string", "integer", "object"]), random.pick(&["null", "boolean", "array"])]})
        }
        14 => json!({"const": literal(random)}),
        15 => {
            let values: Vec<Value> = (0..=random.below(4)).map(|_| literal(random)).collect();
            json!({"enum": values})
        }
        16 => number(random),
        17 => {
            let (least, most) = (random.below(4), random.below(40));
            json!({"type": "array", "items": inner(random), "minItems": least, "maxItems": most, "uniqueItems": random.once_in(2)})
        }
        18 => match random.below(6) {
            0 => json!(true),
            1 => json!({"not": inner(random)}),
            2 => json!({"type": "null"}),
            3 => json!({"prefixItems": list(random, components, depth)}),
            4 => {
                json!({"type": "string", "enum": [random.pick(&NAMES), random.pick(&NAMES), "m³", "<", ">="]})
            }
            _ => json!({}),
        },
        19 => json!({"oneOf": [inner(random), {"type": "null"}]}),
        _ => scalar(random),
    };
    if let Value::Object(schema) = &mut made {
        if random.once_in(6) {
            schema.insert("nullable".to_owned(), true.into());
        }
        if random.once_in(10) {
            schema.insert("title".to_owned(), random.pick(&NAMES).into());
        }
        if random.once_in(12) {
            schema.insert("default".to_owned(), literal(random));
        }
        if random.once_in(10) {
            schema.insert(random.pick(&["readOnly", "writeOnly"]).to_owned(), true.into());
        }
        if random.once_in(80) {
            schema.insert("$id".to_owned(), "https://example.com/a".into());
        }
        if random.once_in(12) {
            schema.insert("description".to_owned(), "Says */ <what> it [is](#) `for`".into());
        }
    }
    made
}

fn list(random: &mut Random, components: &[&str], depth: usize) -> Vec<Value> {
    (0..=random.below(3)).map(|_| schema(random, components, depth - 1)).collect()
}

fn object(random: &mut Random, components: &[&str], depth: usize) -> Value {
    let mut properties = Map::new();
    for _ in 0..random.below(5) {
        properties.insert(random.pick(&NAMES).to_owned(), schema(random, components, depth - 1));
    }
    let required: Vec<String> = properties.keys().filter(|_| random.once_in(2)).cloned().collect();
    let mut object = json!({"type": "object", "properties": properties, "required": required});
    match random.below(6) {
        0 => object["additionalProperties"] = false.into(),
        1 => object["additionalProperties"] = true.into(),
        2 => object["additionalProperties"] = scalar(random),
        3 => {
            object["anyOf"] = json!([schema(random, components, 0), schema(random, components, 1)]);
        }
        _ => {}
    }
    object
}

fn number(random: &mut Random) -> Value {
    let bounds =
        [json!(0), json!(1), json!(-5), json!(255), json!(1.5), json!(4_294_967_296_i64), json!(1e30)];
    let mut schema = json!({"type": random.pick(&["integer", "number"])});
    for keyword in ["minimum", "maximum", "exclusiveMinimum", "multipleOf"] {
        if random.once_in(3) {
            schema[keyword] = random.pick(&bounds);
        }
    }
    if random.once_in(3) {
        schema["format"] =
            random.pick(&["int32", "int64", "uint8", "uint64", "float", "double", "odd"]).into();
    }
    if random.once_in(4) {
        schema["enum"] = json!([random.pick(&bounds), random.pick(&bounds)]);
    }
    schema
}

fn literal(random: &mut Random) -> Value {
    random.pick(&[
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!("a"),
        json!("b"),
        json!(""),
        json!("A"),
        json!("Ok"),
        json!("=="),
        json!([]),
        json!({}),
        json!({"a": 1}),
        json!([1, "a"]),
    ])
}
