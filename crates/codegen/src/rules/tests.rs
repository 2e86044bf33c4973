use super::*;

#[test]
#[ignore]
fn print() {
    let document: Value = serde_json::from_str(&std::fs::read_to_string(std::env::var("DOC").unwrap()).unwrap()).unwrap();
    let mut report = Report::default();
    let model = read(&document, &mut report);
    let rust = rust(&model, &quote::quote!(crate::rules), &quote::quote!(super::rules));
    let file = syn::parse2(rust.module.clone()).unwrap();
    println!("{}", prettyplease::unparse(&file));
    for operation in &model.operations {
        println!("// {} {} {:?}", operation.method, operation.path, rust.body(&operation.path, &operation.method));
    }
    println!("// {report}");
}
