# Writes OUT, a C++ source that holds the bakery's sample and its workflow definition.
set(text "#include \"apps/bakery/sample_text.hpp\"\n\nnamespace levain::bakery {\n\n")
foreach(pair
    "sales_csv|sample/sales.csv" "products_json|sample/products.json" "suppliers_json|sample/suppliers.json"
    "bakeries_json|sample/bakeries.json" "daily_bakery_json|daily_bakery.json")
  string(REPLACE "|" ";" pair "${pair}")
  list(GET pair 0 name)
  list(GET pair 1 file)
  file(READ ${DIR}/${file} body)
  string(APPEND text "std::string_view ${name}() {\n  return R\"sample_text(${body})sample_text\";\n}\n\n")
endforeach()
string(APPEND text "} // namespace levain::bakery\n")
file(WRITE ${OUT} "${text}")
