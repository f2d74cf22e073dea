# Writes OUT, a C++ source that holds the text of SCHEMA, so that the daemon serves what is published.
file(READ ${SCHEMA} body)
file(WRITE ${OUT} "#include \"actors/workflow/parse_definition.hpp\"

namespace levain {

std::string_view definition_schema() {
  return R\"schema_text(${body})schema_text\";
}

} // namespace levain
")
