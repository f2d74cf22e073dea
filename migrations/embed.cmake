# Writes OUT, a C++ source that holds every migration of DIR in the order of their numbers.
file(GLOB files ${DIR}/[0-9]*.sql)
list(SORT files)
set(text "#include \"persistence/migrations.hpp\"\n\nnamespace levain {\n\nconst std::vector<embedded_migration>& embedded_migrations() {\n  static const std::vector<embedded_migration> all = {\n")
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} body)
  # Raw string literals end at 64 KiB in some compilers: our files stay far below.
  string(APPEND text "    {\"${name}\", R\"sql_text(${body})sql_text\"},\n")
endforeach()
string(APPEND text "  };\n  return all;\n}\n\n} // namespace levain\n")
file(WRITE ${OUT} "${text}")
